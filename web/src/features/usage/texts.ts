import { texts } from "~/i18n";

export const usageTexts = texts("usage", {
  en: {
    none: "Nothing has been measured yet. Replicas report every few seconds while their programs run.",
    cpu: "CPU, cores in use",
    memory: "Memory",
    diskRead: "Read from disk, per second",
    diskWritten: "Written to disk, per second",
    received: "Received, per second",
    sent: "Sent, per second",
    processes: "Processes",
    attempt: "{{task}}, attempt {{n}}",
  },
  zh: {
    none: "还没有测量数据。程序运行期间，副本每隔几秒上报一次。",
    cpu: "CPU 使用核数",
    memory: "内存",
    diskRead: "磁盘读取（每秒）",
    diskWritten: "磁盘写入（每秒）",
    received: "接收（每秒）",
    sent: "发送（每秒）",
    processes: "进程数",
    attempt: "{{task}}，第 {{n}} 次尝试",
  },
});
