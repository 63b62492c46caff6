// Words of the wall, of its sound and its keys.

export const WALL_WORDS = {
  short_late: ["chậm {age}", "late {age}"],
  short_stale: ["cũ {age}", "old {age}"],
  short_lost: ["mất {age}", "lost {age}"],
  higher_than_before: [
    "cao hơn cùng con nước hôm trước {n} g/l",
    "{n} g/L above the same tide the day before",
  ],
  lower_than_before: [
    "thấp hơn cùng con nước hôm trước {n} g/l",
    "{n} g/L below the same tide the day before",
  ],
  legend_change: ["▲▼ ( ) so với cùng con nước hôm trước", "▲▼ ( ) against the same tide the day before"],
  salt_higher: [
    "ranh {level} g/l lên cao hơn cùng con nước hôm trước {n} km",
    "the {level} g/L line is {n} km farther up than at the same tide the day before",
  ],
  salt_lower: [
    "ranh {level} g/l xuống thấp hơn cùng con nước hôm trước {n} km",
    "the {level} g/L line is {n} km farther down than at the same tide the day before",
  ],
  panel_quiet: ["CHẬM HOẶC MẤT TÍN HIỆU", "LATE OR LOST"],
  quiet_stale: ["số liệu cũ {age}", "old data, {age}"],
  cleared_short: ["hết {time}", "over {time}"],
  open_alert: ["Mở trang cảnh báo ›", "Open the alert's page ›"],
  silent_no_data: ["mất tín hiệu", "signal lost"],
  silent_never_seen: ["chưa có số liệu", "never heard"],

  sound_on: ["Tắt tiếng", "Silence"],
  sound_on_title: ["Tắt tiếng báo động 10 phút (phím m)", "Silence the alarm for 10 minutes (key m)"],
  sound_silent: ["Đã tắt tiếng, có lại sau {time}", "Silenced, back in {time}"],
  sound_silent_title: ["Bật tiếng lại ngay", "Sound again now"],
  sound_blocked: [
    "Trình duyệt đang chặn tiếng báo: bấm để bật",
    "The browser blocks the sound: press to turn it on",
  ],
  sound_blocked_title: [
    "Chưa ai chạm vào trang này, nên trình duyệt chưa cho phát tiếng",
    "Nobody has touched this page yet, so the browser lets nothing be heard",
  ],

  keys_title: ["Phím tắt", "Keys"],
  keys_use: ["Dùng các phím một chữ", "Use keys of one letter"],
  close: ["Đóng", "Close"],
  key_next: ["cảnh báo kế tiếp", "next alert"],
  key_previous: ["cảnh báo trước", "previous alert"],
  key_ack: ["tiếp nhận cảnh báo đang chọn", "acknowledge the chosen alert"],
  key_shelve: ["tạm gác cảnh báo đang chọn", "shelve the chosen alert"],
  key_note: ["ghi chú vào cảnh báo đang chọn", "add a note to the chosen alert"],
  key_open: ["mở trang của cảnh báo đang chọn", "open the chosen alert's page"],
  key_silence: ["tắt tiếng 10 phút, hoặc bật lại", "silence for 10 minutes, or sound again"],
  key_wall: ["về màn hình", "to the wall"],
  key_station: ["tới trang trạm đang chọn", "to the chosen station's page"],
  key_bridge: ["tới trang cầu", "to a bridge's page"],
  key_gates: ["tới bảng con nước", "to the board of gates"],
  key_handover: ["tới trang bàn giao ca", "to the handover"],
  key_bulletin: ["tới bản tin ngày", "to the daily bulletin"],
  key_map: ["tới bản đồ", "to the map"],
  key_back: ["về màn hình, bỏ chọn, đóng hộp thoại", "back to the wall, choose nothing, close"],
  key_help: ["bảng phím này", "these keys"],
} as const;
