import { texts } from "~/i18n";

export const accessTexts = texts("access", {
  en: {
    title: "Links and access",
    lead: "Who may look at these pages, and how they get in.",
    links: "Read-only links",
    "links.why": "A link shows one run to whoever has it: its picture, logs and measurements. It lets nobody act.",
    "links.none": "No link is open. Make one with “Share” on the page of a run.",
    run: "Run",
    created: "Made",
    expires: "Ends",
    revoke: "Take back",
    sessions: "Signed-in browsers",
    "sessions.why":
      "One-time links come from `trig console`. A browser stays signed in for 14 days after its last visit.",
    "sessions.end": "Sign out everywhere",
    "sessions.sure": "Every browser, this one too, will need a fresh link.",
    share: "Share {{title}}",
    "share.why":
      "Whoever has the link sees this one run and nothing else, and can change nothing. It works for as long as you choose here, whether or not the run is over by then, or until you take it back.",
    "share.shown":
      "It shows the run's arguments, environment variables, logs and errors. Values whose names look like secrets and passwords in addresses are masked; what a program prints is shown as it is.",
    "share.days": "The link works for",
    "share.until": "It works until {{time}}.",
    "share.open": "Open links to this run",
    day_one: "{{count, number}} day",
    day_other: "{{count, number}} days",
    "share.make": "Make the link",
    "share.once":
      "The link is shown only now. Who is not on this machine needs a way to its port, such as an SSH tunnel.",
  },
  zh: {
    title: "链接与访问",
    lead: "谁可以查看这些页面，以及如何进入。",
    links: "只读链接",
    "links.why": "链接向持有者展示一次运行：其全景图、日志和用量。持有者不能执行任何操作。",
    "links.none": "没有打开的链接。可在运行页面用“分享”创建。",
    run: "运行",
    created: "创建时间",
    expires: "失效时间",
    revoke: "收回",
    sessions: "已登录的浏览器",
    "sessions.why": "一次性链接来自 `trig console`。浏览器在最后一次访问后保持登录 14 天。",
    "sessions.end": "全部退出登录",
    "sessions.sure": "包括此浏览器在内的所有浏览器都需要新的链接。",
    share: "分享 {{title}}",
    "share.why":
      "持有此链接的人只能查看这一次运行，看不到其他内容，也不能做任何修改。链接在所选的有效期内可用（与运行是否结束无关），也可随时收回。",
    "share.shown":
      "链接会显示此运行的参数、环境变量、日志和错误。名称像密钥的值以及地址中的密码会被隐去；程序打印的内容则原样显示。",
    "share.days": "链接有效期",
    "share.until": "有效期至 {{time}}。",
    "share.open": "此运行的有效链接",
    day_other: "{{count, number}} 天",
    "share.make": "创建链接",
    "share.once": "链接仅在此时显示。不在本机的人需要通过 SSH 隧道等方式访问此端口。",
  },
});
