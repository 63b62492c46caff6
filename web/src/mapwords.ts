// Words of the map.

export const MAP_WORDS = {
  menu_map: ["Bản đồ", "Map"],
  map_title: ["Bản đồ", "Map"],
  map_label: [
    "Bản đồ các nhánh sông; danh sách bên cạnh có cùng số liệu",
    "Map of the branches; the list beside it has the same figures",
  ],
  map_note: [
    "Đường sông và bờ biển vẽ gần đúng, chỉ để xem; vị trí trạm theo sổ trạm.",
    "River and coast are drawn approximately, for looking only; stations as registered.",
  ],
  map_list: ["Danh sách trạm", "List of stations"],
  map_list_hint: [
    "Bấm vào trạm để tìm trên bản đồ",
    "Press a station to find it on the map",
  ],
  map_show: ["Tìm {name} trên bản đồ", "Find {name} on the map"],
  map_bridges: ["Cầu", "Bridges"],
  map_open: ["Mở trang ›", "Open its page ›"],
  map_now: ["< 1 phút", "< 1 min"],
  map_no_place: ["chưa có tọa độ", "no coordinates"],
  map_legend: ["Chú giải", "Legend"],
  map_salinity: ["Độ mặn, g/l", "Salinity, g/L"],
  map_band: ["{range} {name}", "{range} {name}"],
  map_old: ["số liệu cũ hoặc mất tín hiệu", "old or lost"],
  map_alert: ["có cảnh báo", "has an alert"],
  map_salt: ["ranh mặn {level} g/l, bây giờ", "{level} g/L line, now"],
  map_line: ["{level} g/l", "{level} g/L"],
  map_bridge: ["cầu", "bridge"],
  map_zoom_in: ["Phóng to", "Zoom in"],
  map_zoom_out: ["Thu nhỏ", "Zoom out"],
  map_whole: ["Xem toàn vùng", "Whole delta"],
  map_north: ["Bắc", "North"],
  map_north_letter: ["B", "N"],
  map_close: ["Đóng", "Close"],
  map_tiles_failed: [
    "Không tải được nền bản đồ; số liệu không bị ảnh hưởng.",
    "The background could not be loaded; figures are not affected.",
  ],
} as const;
