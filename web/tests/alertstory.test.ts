import assert from "node:assert/strict";
import { test } from "node:test";

import { proofOf, storyOf } from "../src/alertstory.ts";

const RULE = {
  ...{ id: "salinity-4", for_s: 0, clear_level: 3.6, clear_for_s: 900, version: "5a16" },
  ...{ source: "thanhnien.vn 05/03/2013", unverified: true },
};
const PROOF = {
  ...{ cause: "level", t_since: 0, t_event: 60_000, value: 4.3, first_value: 4.1, reading: 4.3 },
  ...{ limit: 4, flag: 1, worst_flag: 3, samples: 2, rule: RULE },
};
const ALERT = {
  ...{ quantity: "salinity_g_l", unit: "g/L", ask: "above" },
  timeline: [
    { type: "raised", at: 60_000, told: true, evidence: PROOF },
    { type: "acked", at: 120_000, told: true, who: "an", note: "đã gọi người trực trạm" },
    { type: "suppressed", at: 180_000, told: false, evidence: { cause: "beside" } },
    { type: "mended", at: 240_000, told: true, quiet: true },
  ],
};

test("the newest step comes first, with when, who, why and who heard of it", () => {
  const [mended, suppressed, acked, raised] = storyOf(ALERT, "vi");
  assert.equal(mended?.what, "mended"); // a newer service: its own name, and no blank
  assert.equal(mended?.heard, "chỉ hiện trên màn hình");
  assert.equal(suppressed?.why, "điều khác giữ nó lại");
  assert.equal(suppressed?.heard, "chỉ lưu hồ sơ");
  assert.deepEqual([acked?.who, acked?.note, acked?.why], ["an", "đã gọi người trực trạm", ""]);
  assert.deepEqual([raised?.time, raised?.what], ["01/01/1970 07:01:00", "bắt đầu"]);
});

test("a step is told with the figures that it rests on", () => {
  const rows = Object.fromEntries(
    proofOf(PROOF, { quantity: "salinity_g_l", unit: "g/L", ask: "above" }, "vi").map(
      ({ label, value }) => [label, value],
    ),
  );
  assert.equal(rows["Giá trị so với mức"], "4,30 g/l");
  assert.equal(rows["Mức"], "4 g/l");
  assert.equal(rows["Lần vượt đầu tiên"], "4,10 g/l");
  assert.equal(rows["Số đo"], undefined); // the same as what was compared
  assert.equal(rows["Quy tắc"], "salinity-4 (phiên bản 5a16)");
  assert.equal(rows["Phải giữ"], "không cần giữ");
  assert.equal(rows["Hết khi"], "< 3,6 g/l, 15 phút");
  assert.equal(rows["Nguồn của mức"], "thanhnien.vn 05/03/2013 (chưa được kiểm chứng)");
});

test("what is no figure of the series is not set against a level", () => {
  const rows = proofOf(
    { cause: "no_data", limit: 10_800, value: null, t_since: 0 },
    { quantity: "salinity_g_l", unit: "g/L", ask: "no_data" },
    "en",
  );
  assert.deepEqual(rows, [{ label: "From", value: "01/01/1970 07:00" }]);
});
