import assert from "node:assert/strict";
import { test } from "node:test";

import { Door } from "../src/door.ts";
import type { Fields } from "../src/held.ts";
import { HttpError } from "../src/http.ts";
import { CallError } from "../src/world.ts";

const OFFICER = { name: "an", role: "operator" };
const NOBODY = { name: "", role: "viewer" };

/** A service whose answers are in the hand, and what it was asked. */
function service(answers: Record<string, () => Fields>) {
  const asked: string[] = [];
  const answer = (what: string): Promise<Fields> => {
    asked.push(what);
    const found = answers[what];
    if (found === undefined) return Promise.reject(new HttpError(404, what));
    try {
      return Promise.resolve(found());
    } catch (error) {
      return Promise.reject(error);
    }
  };
  const door = new Door(
    (path) => answer(`GET ${path}`),
    (method, path) => answer(`${method} ${path}`),
  );
  return { door, asked };
}

const refused = (): Fields => {
  throw new HttpError(401, "sign in first");
};

test("nobody in particular shows nothing and asks for no ticket", async () => {
  const { door, asked } = service({ "GET /api/v1/session": () => NOBODY });
  await door.look();
  assert.equal(await door.pass(), null);
  assert.deepEqual(asked, ["GET /api/v1/session"]);
});

test("an officer shows another ticket at each connection", async () => {
  let n = 0;
  const { door } = service({
    "POST /api/v1/session": () => OFFICER,
    "POST /api/v1/live-ticket": () => ({ ticket: `ticket_${++n}` }),
    "DELETE /api/v1/session": () => ({ ended: true }),
  });
  assert.deepEqual(await door.signIn("an", "con nước rong"), OFFICER);
  assert.deepEqual([await door.pass(), await door.pass()], ["ticket_1", "ticket_2"]);
  await door.signOut();
  assert.equal(door.signedIn, false);
  assert.equal(await door.pass(), null);
});

test("a session that is over makes a viewer, where people may look", async () => {
  const { door } = service({
    "POST /api/v1/session": () => OFFICER,
    "POST /api/v1/live-ticket": refused,
    "GET /api/v1/session": () => NOBODY,
  });
  await door.signIn("an", "con nước rong");
  assert.equal(await door.pass(), null);
  assert.equal(door.signedIn, false);
});

test("and shuts the door where they may not", async () => {
  const { door } = service({
    "POST /api/v1/session": () => OFFICER,
    "POST /api/v1/live-ticket": refused,
    "GET /api/v1/session": refused,
  });
  await door.signIn("an", "con nước rong");
  await assert.rejects(door.pass(), (e) => e instanceof CallError && e.code === 401);
});

test("an outage is no end of a session", async () => {
  const { door } = service({
    "POST /api/v1/session": () => OFFICER,
    "POST /api/v1/live-ticket": () => {
      throw new HttpError(0, "no network");
    },
  });
  await door.signIn("an", "con nước rong");
  await assert.rejects(door.pass(), (e) => e instanceof HttpError && e.status === 0);
  assert.equal(door.signedIn, true);
});

test("who could not sign out is signed in still", async () => {
  const { door } = service({ "POST /api/v1/session": () => OFFICER });
  await door.signIn("an", "con nước rong");
  await assert.rejects(door.signOut());
  assert.equal(door.signedIn, true);
});
