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
    "Phiên đăng nhập đã hết. Muốn ghi phải đăng nhập lại.",
    "The session is over. Sign in again to enter anything.",
  ],
  password_title: ["Đổi mật khẩu", "Change your password"],
  password_about: [
    "Đổi xong, các máy và trình duyệt khác của bạn phải đăng nhập lại.",
    "Your other machines and browsers will have to sign in again.",
  ],
  password_old: ["Mật khẩu đang dùng", "Current password"],
  password_new: ["Mật khẩu mới, ít nhất 10 ký tự", "New password, at least 10 characters"],
  password_again: ["Gõ lại mật khẩu mới", "New password once more"],
  password_submit: ["Đổi mật khẩu", "Change it"],
  password_differs: [
    "Hai lần gõ mật khẩu mới không giống nhau.",
    "The two new passwords are not the same.",
  ],
  password_wrong: ["Mật khẩu đang dùng không đúng.", "The current password is wrong."],
  password_short: [
    "Mật khẩu mới phải có từ 10 đến 1000 ký tự.",
    "The new password must have 10 to 1000 characters.",
  ],
  password_done: ["Đã đổi mật khẩu.", "The password is changed."],
  sign_out_failed: [
    "Chưa đăng xuất được: {why}",
    "Not signed out: {why}",
  ],
} as const;
