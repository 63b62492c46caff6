// Another password of one's own, as a form. No DOM.

import type { Doing } from "./doing.ts";
import type { Fields } from "./held.ts";
import { HttpError } from "./http.ts";
import { type Language, type Word, word } from "./words.ts";

type Send = (method: "POST", path: string, body: Fields) => Promise<Fields>;

export function passwordDoing(send: Send, language: () => Language): Doing {
  const t = (key: Word, values = {}): string => word(key, language(), values);
  const told = (key: Word, values = {}) => ({ told: t(key, values), again: true });
  const secret = { kind: "password", required: true } as const;
  return {
    id: "password",
    tab: "password_title",
    title: "password_title",
    submit: "password_submit",
    about: t("password_about"),
    story: "",
    forViewers: true,
    fields: [
      { ...secret, name: "old", label: "password_old", complete: "current-password" },
      { ...secret, name: "new", label: "password_new", complete: "new-password" },
      { ...secret, name: "again", label: "password_again", complete: "new-password" },
    ],
    facts: () => [],
    act: async (values) => {
      if (values["new"] !== values["again"]) return told("password_differs");
      try {
        const body = { old: values["old"], password: values["new"] };
        await send("POST", "/api/v1/session/password", body);
      } catch (error) {
        if (!(error instanceof HttpError)) throw error;
        const { status, problem } = error;
        const wrong = String(problem["type"]).endsWith("#problem-wrong-password");
        if (wrong) return told("password_wrong");
        if (status === 422) return told("password_short");
        const s = Number(problem["retry_after_s"] ?? 1);
        if (status === 429) return told("sign_in_wait", { s });
        if (status === 503) return told("sign_in_busy");
        throw error;
      }
      return { done: t("password_done") };
    },
  };
}
