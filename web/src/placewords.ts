// Words of the pages of one place: a station, a bridge.

export const PLACE_WORDS = {
  span_hour: ["1 giờ", "1 hour"],
  span_six: ["6 giờ", "6 hours"],
  span_day: ["24 giờ", "24 hours"],
  span_week: ["7 ngày", "7 days"],
  span_month: ["30 ngày", "30 days"],
  span_year: ["1 năm", "1 year"],
} as const satisfies Record<string, readonly [string, string]>;
