// Words of signing in and out.

export const DOOR_WORDS = {
  sign_in_name: ["Tên trực ban", "Officer's name"],
  sign_in_password: ["Mật khẩu", "Password"],
  sign_in_hint: [
    "Đăng nhập có hiệu lực cho mọi cửa sổ của trình duyệt này, cho đến khi đăng xuất.",
    "Signing in holds for all windows of this browser, until you sign out.",
  ],
  sign_in_needed: [
    "Muốn xem phải đăng nhập.",
    "One must sign in to look here.",
  ],
  sign_in_wrong: ["Tên hoặc mật khẩu không đúng.", "Name or password is wrong."],
  sign_in_wait: [
    "Đã sai nhiều lần. Thử lại sau {s} giây.",
    "Too many failed tries. Try again in {s} s.",
  ],
  sign_in_busy: ["Máy chủ đang bận, thử lại sau ít giây.", "The service is busy: try again soon."],
  sign_in_weak: [
    "Người này chỉ được xem, không được ghi.",
    "This officer may look, and enter nothing.",
  ],
  sign_in_unchecked: ["Không hỏi được máy chủ, thử lại.", "Could not ask the service, try again."],
  signed_out: ["Đã đăng xuất.", "Signed out."],
  session_over: [
    "Phiên đăng nhập đã hết. Vẫn đang xem, muốn ghi phải đăng nhập lại.",
    "The session is over. You still look; sign in again to enter anything.",
  ],
  sign_out_failed: [
    "Chưa đăng xuất được: {why}",
    "Not signed out: {why}",
  ],
} as const;
