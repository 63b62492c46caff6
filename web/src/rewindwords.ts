// Words of the past that is shown again.

export const REWIND_WORDS = {
  rewind_open: ["Xem lại", "Rewind"],
  rewind_title: ["XEM LẠI, không phải hiện tại", "THE PAST, not the present"],
  rewind_page: ["XEM LẠI", "REWIND"],
  rewind_link: ["đang xem lại · {pace}", "rewinding · {pace}"],
  rewind_still: ["dừng hình", "paused"],
  rewind_recorded: ["đúng như màn hình đã hiện", "as the screen showed it"],
  rewind_rebuilt: [
    "dựng lại từ số liệu đã lưu",
    "rebuilt from stored readings",
  ],
  rewind_without: [
    "không có lời khuyên lấy nước, điều tiết cầu, cấp rủi ro và kết nối của lúc đó",
    "without the advice, police modes, risk levels and links of that time",
  ],
  rewind_none: ["không có số liệu của lúc đó", "nothing is known of that time"],
  rewind_gap: ["máy chủ không chạy lúc đó", "the service was down then"],
  rewind_play: ["Chạy", "Play"],
  rewind_pause: ["Dừng", "Pause"],
  rewind_pace: ["Nhanh gấp", "Pace"],
  rewind_time: ["Thời điểm (giờ Việt Nam)", "Time (Vietnam)"],
  rewind_go: ["Xem", "Show"],
  rewind_back: ["Về hiện tại", "Back to the present"],
  rewind_bad: [
    "Không đọc được thời điểm trong địa chỉ. Viết như ?at=2026-03-02T04:10+07",
    "The time in the address can't be read. Write it as ?at=2026-03-02T04:10+07",
  ],
  rewind_ahead: ["Thời điểm này chưa tới.", "That time has not come yet."],
  rewind_full: [
    "Đang có quá nhiều màn hình xem lại. Thử lại sau.",
    "Too many screens are rewinding. Try again later.",
  ],
  rewind_day_back: ["−1 ngày", "−1 day"],
  rewind_hour_back: ["−1 giờ", "−1 h"],
  rewind_ten_back: ["−10 phút", "−10 min"],
  rewind_ten_on: ["+10 phút", "+10 min"],
  rewind_hour_on: ["+1 giờ", "+1 h"],
  rewind_day_on: ["+1 ngày", "+1 day"],
} as const;
