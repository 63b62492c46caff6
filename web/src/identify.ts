// Who a token is, by the service's word.

import { CallError, GREETING_MS, parsed, type World } from "./world.ts";

export interface Identity {
  role: string;
  name: string;
}

/** Ask the service who a token is, over a connection of its own; the main link goes on. */
export function identify(url: string, token: string, world: World): Promise<Identity> {
  return new Promise((resolve, reject) => {
    const socket = world.connect(url);
    const done = (act: () => void): void => {
      cancel();
      socket.onopen = socket.onmessage = socket.onclose = null;
      socket.close();
      act();
    };
    const cancel = world.after(GREETING_MS, () =>
      done(() => reject(new CallError(0, "no answer in time"))),
    );
    socket.onopen = () => socket.send(JSON.stringify({ op: "auth", id: 1, token }));
    socket.onclose = (code, reason) =>
      done(() => reject(new CallError(code >= 4400 && code <= 4499 ? code - 4000 : 0, reason)));
    socket.onmessage = (text) => {
      const frame = parsed(text) ?? {};
      if (frame["op"] === "hello") {
        const name = typeof frame["name"] === "string" ? frame["name"] : "";
        done(() => resolve({ role: String(frame["role"]), name }));
      } else if (frame["op"] === "err") {
        done(() => reject(new CallError(Number(frame["code"]), String(frame["msg"] ?? ""))));
      }
    };
  });
}
