// Every word that people read, Vietnamese first. The words are those of the trade: chớm mặn,
// đông xe, tiếp nhận; a level of service is told in words, an age in minutes.

export type Language = "vi" | "en";

const WORDS = {
  page_title: ["Sông Tiền · màn hình trực", "Tiền River · operations screen"],
  river_name: ["SÔNG TIỀN", "TIỀN RIVER"],
  skip_to_alerts: ["Tới danh sách cảnh báo", "Skip to the alerts"],

  link_live: ["đang nhận trực tiếp", "receiving live"],
  link_delay: ["chậm {s} giây", "{s} s behind"],
  link_connecting: ["đang nối…", "connecting…"],
  link_lost: ["mất liên lạc", "link lost"],
  link_stopped: ["đã ngừng nhận", "stopped"],
  stations_reporting: ["{n}/{all} trạm có số liệu", "{n}/{all} stations reporting"],
  stations_late: ["{n} chậm", "{n} late"],
  stations_stale: ["{n} số liệu cũ", "{n} with old data"],
  stations_lost: ["{n} mất tín hiệu", "{n} lost"],
  stations_never: ["{n} chưa có số liệu", "{n} never heard"],
  stations_maintenance: ["{n} đang bảo trì", "{n} in maintenance"],
  theme: ["Nền sáng / tối", "Light / dark"],
  sign_in: ["Đăng nhập", "Sign in"],
  sign_out: ["Thoát", "Sign out"],
  role_viewer: ["người xem", "viewer"],
  role_operator: ["trực ban", "operator"],
  role_admin: ["quản trị", "administrator"],
  demo: ["DEMO · số liệu mô phỏng", "DEMO · simulated data"],
  simulated_present: [
    "Trên màn hình có số liệu mô phỏng, đánh dấu “mô phỏng”",
    "Some data on this screen are simulated, marked “simulated”",
  ],
  simulated: ["mô phỏng", "simulated"],

  lost_title: ["MẤT LIÊN LẠC VỚI MÁY CHỦ", "LINK TO THE SERVICE LOST"],
  lost_first: ["CHƯA NỐI ĐƯỢC VỚI MÁY CHỦ", "CANNOT REACH THE SERVICE"],
  lost_last_word: [
    "Tin cuối nhận lúc {time} ngày {date}, cách đây {age}.",
    "Last word at {time} on {date}, {age} ago.",
  ],
  lost_none: ["Chưa nhận được tin nào.", "Nothing has been received yet."],
  lost_warning: [
    "Mọi số trên màn hình là số cũ, không dùng để quyết định.",
    "All figures on this screen are old: do not decide by them.",
  ],
  lost_retry: ["Tự nối lại sau {s} giây.", "Trying again in {s} s."],
  lost_trying: ["Đang nối lại…", "Reconnecting…"],
  retry_now: ["Nối lại ngay", "Try now"],
  stopped_title: ["MÁY CHỦ TỪ CHỐI, ĐÃ NGỪNG NHẬN", "REFUSED BY THE SERVICE: STOPPED"],
  stopped_400: [
    "Trang và máy chủ không hiểu nhau (mã {code}).",
    "Page and service disagree (code {code}).",
  ],
  stopped_401: [
    "Cần đăng nhập, hoặc mã truy cập không còn hiệu lực.",
    "Sign in is needed, or the token is no longer valid.",
  ],
  stopped_403: ["Không được phép xem (mã {code}).", "Not allowed to view (code {code})."],
  stopped_408: ["Đăng nhập không kịp giờ (mã {code}).", "Not signed in in time (code {code})."],
  stopped_429: [
    "Máy chủ đang nhận quá nhiều kết nối từ đây (mã {code}).",
    "Too many connections from here (code {code}).",
  ],
  stopped_other: ["Máy chủ từ chối (mã {code}).", "The service refused (code {code})."],
  reload: ["Tải lại trang", "Reload the page"],
  go_on_as_viewer: ["Xem không đăng nhập", "View without signing in"],

  panel_river: ["Độ mặn trên các nhánh sông", "Salinity along the branches"],
  km_from_mouth: ["km từ cửa sông", "km from the mouth"],
  sea: ["BIỂN", "SEA"],
  coast: ["Ven biển", "Coast"],
  elsewhere: ["Trạm khác", "Other stations"],
  no_stations: ["Sổ trạm chưa có trạm đo mặn nào.", "No salinity station is registered."],

  band_0: ["ngọt", "fresh"],
  band_1: ["chớm mặn", "slightly salty"],
  band_2: ["lợ", "brackish"],
  band_3: ["mặn", "salty"],
  band_4: ["rất mặn", "very salty"],
  measured_ago: ["đo cách đây {age}", "measured {age} ago"],
  ago: ["cách đây {age}", "{age} ago"],
  under_a_minute: ["dưới 1 phút", "under 1 min"],
  n_seconds: ["{n} giây", "{n} s"],
  n_minutes: ["{n} phút", "{n} min"],
  n_hours: ["{n} giờ", "{n} h"],
  n_hours_minutes: ["{n} giờ {m} phút", "{n} h {m} min"],
  n_days: ["{n} ngày", "{n} days"],
  st_late: ["chậm", "late"],
  st_stale: ["số liệu cũ", "old data"],
  st_lost: ["mất tín hiệu", "signal lost"],
  st_lost_since: ["mất tín hiệu từ {time}", "signal lost since {time}"],
  st_never: ["chưa có số liệu", "no data yet"],
  st_maintenance: ["bảo trì", "maintenance"],
  link_sleeping: ["thiết bị đang ngủ", "device asleep"],
  flag_2: ["chưa kiểm", "not checked"],
  flag_3: ["nghi ngờ", "suspect"],
  flag_4: ["lỗi đo", "bad reading"],
  flag_9: ["thiếu số liệu", "missing"],

  salt_line: ["Ranh mặn {level} g/l", "The {level} g/L line"],
  salt_now: ["bây giờ", "now"],
  salt_max: ["lớn nhất 25 giờ", "maximum of 25 h"],
  salt_none: ["chưa rõ", "unknown"],
  salt_old: ["số liệu cũ", "old"],

  panel_bridges: ["Các cầu Rạch Miễu", "The Rạch Miễu bridges"],
  level_0: ["ít xe", "few vehicles"],
  level_1: ["thông thoáng", "free flow"],
  level_2: ["đông xe", "heavy"],
  level_3: ["ùn ứ", "congested"],
  level_4: ["ùn tắc", "jammed"],
  level_none: ["chưa rõ", "unknown"],
  vehicles_h: ["{n} xe/giờ", "{n} veh/h"],
  occupied: ["chiếm {n} %", "{n} % occupied"],
  queue: ["ùn dài {n}", "queue {n}"],

  panel_alerts: ["CẢNH BÁO", "ALERTS"],
  n_unacked: ["{n} chưa tiếp nhận", "{n} unacknowledged"],
  all_acked: ["đã tiếp nhận hết", "all acknowledged"],
  no_alerts: ["Không có cảnh báo", "No alerts"],
  n_lower: ["+{n} mức thấp hơn", "+{n} lower levels"],
  one_lower: ["+1 mức thấp hơn", "+1 lower level"],
  one_other: ["+1 cảnh báo khác", "+1 other"],
  n_others: ["+{n} cảnh báo khác", "+{n} others"],
  n_cleared: ["{n} đã hết, chưa ai tiếp nhận", "{n} cleared, unacknowledged"],
  n_everyday: ["{n} tin thường ngày", "{n} everyday notices"],
  one_everyday: ["1 tin thường ngày", "1 everyday notice"],
  more_below: ["Còn {n} cảnh báo ở dưới", "{n} more below"],
  per_hour: ["/giờ", "/h"],
  since: ["từ {time}", "since {time}"],
  value_now: ["nay {value}", "now {value}"],
  cleared_at: ["hết lúc {time}", "cleared {time}"],
  acknowledge: ["Tiếp nhận", "Acknowledge"],
  acknowledge_short: ["Tiếp nhận", "Ack"],
  the_service: ["Hệ thống", "System"],
  new_alert: ["Cảnh báo mới: {text}", "New alert: {text}"],
  severity_info: ["lưu ý", "info"],
  severity_warning: ["cảnh báo", "warning"],
  severity_major: ["nghiêm trọng", "major"],
  severity_critical: ["rất nghiêm trọng", "critical"],
  state_unacked: ["chưa tiếp nhận", "unacknowledged"],
  state_acked: ["đã tiếp nhận", "acknowledged"],
  "state_cleared-unacked": ["đã hết, chưa ai tiếp nhận", "cleared, unacknowledged"],

  ack_title: ["Tiếp nhận cảnh báo", "Acknowledge the alert"],
  note_label: ["Ghi chú (không bắt buộc)", "Note (optional)"],
  note_hint: ["thí dụ: đã gọi người trực trạm", "e.g. called the station's keeper"],
  token_label: ["Mã truy cập của trực ban", "Operator's token"],
  token_hint: [
    "Mã chỉ được giữ đến khi đóng trang này.",
    "It is kept until this page is closed, no longer.",
  ],
  cancel: ["Thôi", "Cancel"],
  working: ["Đang gửi…", "Sending…"],
  ack_done: ["Đã tiếp nhận.", "Acknowledged."],
  ack_409: [
    "Người khác đã tiếp nhận hoặc sửa trước. Xem lại cảnh báo này.",
    "Someone else was first. Look at this alert again.",
  ],
  ack_with_others: ["và {n} cảnh báo khác trong cùng dòng", "and {n} more in the same row"],
  ack_some: [
    "Đã tiếp nhận {done}. Còn {n} vừa thay đổi hoặc đã có người tiếp nhận: {which}. Xem lại.",
    "{done} acknowledged. {n} changed or were taken by someone else: {which}. Look again.",
  ],
  ack_404: ["Cảnh báo này không còn.", "This alert is gone."],
  ack_unknown: [
    "Mất liên lạc khi đang gửi: chưa biết đã ghi hay chưa. Đợi nối lại rồi xem.",
    "The link broke while sending: it may or may not have been recorded. Wait and look again.",
  ],
  ack_failed: ["Không tiếp nhận được: {why}", "Not acknowledged: {why}"],
  token_bad: ["Mã truy cập không đúng hoặc đã hết hạn.", "The token is wrong or has expired."],
  token_weak: ["Mã này chỉ được xem, không được tiếp nhận.", "This token may only view."],
  token_unchecked: ["Không hỏi được máy chủ, thử lại.", "Could not ask the service, try again."],

  chart_empty: [
    "Chọn một trạm, một chiều cầu hay một cảnh báo",
    "Choose a station, a direction or an alert",
  ],
  chart_loading: ["Đang tải 24 giờ qua…", "Loading the last 24 hours…"],
  chart_failed: ["Không tải được số liệu cũ: {why}", "History could not be loaded: {why}"],
  chart_none: ["Không có số liệu trong 24 giờ qua", "No data in the last 24 hours"],
  chart_incomplete: ["Thiếu một phần số liệu cũ", "Part of the history is missing"],
  chart_yesterday: [
    "cùng con nước hôm trước (24 giờ 50 phút)",
    "same tide the day before (24 h 50 min)",
  ],
  chart_same_hour: ["cùng giờ hôm qua", "same hour yesterday"],
  chart_suspect: ["nghi ngờ", "suspect"],
  chart_failed_mark: ["lỗi đo, không tính", "bad, left out"],
  chart_summary: [
    "Biểu đồ 24 giờ qua: thấp nhất {min}, cao nhất {max}, mới nhất {last}",
    "Chart of the last 24 hours: lowest {min}, highest {max}, newest {last}",
  ],

  q_salinity_g_l: ["Độ mặn", "Salinity"],
  q_conductivity_ms_cm: ["Độ dẫn điện", "Conductivity"],
  q_conductivity_25_ms_cm: ["Độ dẫn điện ở 25 °C", "Conductivity at 25 °C"],
  q_temperature_c: ["Nhiệt độ nước", "Water temperature"],
  q_water_level_m: ["Mực nước", "Water level"],
  q_salinity_probe_g_l: ["Độ mặn do máy tính", "Salinity by the probe"],
  q_depth_m: ["Độ sâu đầu đo", "Depth of the probe"],
  q_battery_v: ["Pin", "Battery"],
  q_flow_veh_h: ["Lưu lượng", "Flow"],
  q_flow_pcu_h: ["Lưu lượng quy đổi", "Flow in PCU"],
  q_speed_km_h: ["Tốc độ", "Speed"],
  q_occupancy: ["Độ chiếm đường", "Occupancy"],
  q_queue_m: ["Ùn dài", "Queue"],
  q_density_pcu_km: ["Mật độ", "Density"],
  q_level_of_service: ["Mức phục vụ", "Level of service"],
  q_count_motorbike: ["Xe máy", "Motorbikes"],
  q_count_car: ["Xe con", "Cars"],
  q_count_bus: ["Xe khách", "Buses"],
  q_count_truck: ["Xe tải", "Trucks"],
  q_count_trailer: ["Xe kéo", "Trailers"],
  q_count_bicycle: ["Xe đạp", "Bicycles"],
  q_count_other: ["Xe khác", "Other vehicles"],
} as const satisfies Record<string, readonly [string, string]>;

export type Word = keyof typeof WORDS;

export function word(
  key: Word,
  language: Language,
  values: Record<string, string | number> = {},
): string {
  const text: string = WORDS[key][language === "vi" ? 0 : 1];
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}

/** A word for what the server names; its own name where we have no word for it. */
export function named(prefix: string, name: string, language: Language): string {
  const key = `${prefix}_${name}`;
  return key in WORDS ? word(key as Word, language) : name;
}

const UNITS: Record<string, readonly [string, string]> = {
  "g/L": ["g/l", "g/L"],
  "veh/h": ["xe/giờ", "veh/h"],
  "pcu/h": ["PCU/giờ", "PCU/h"],
  "pcu/km": ["PCU/km", "PCU/km"],
  veh: ["xe", "veh"],
  "1": ["", ""],
};

export function unitOf(quantity: string, unit: string, language: Language): string {
  if (quantity === "occupancy") return "%";
  return UNITS[unit]?.[language === "vi" ? 0 : 1] ?? unit;
}
