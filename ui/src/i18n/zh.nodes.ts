import type { enNodes } from "./en.nodes";

/** “资源”页的文字。 */
export const zhNodes: typeof enNodes = {
  nodes: {
    alive: "已连接",
    booked: "已预留",
    bookedHint: "各副本预留的内存。",
    chart: "{{node}} 的 {{device}}：已预留 {{booked}}，实际使用 {{used}}，空闲 {{free}}，共 {{total}}",
    columns: { bytes: "预留", deployment: "部署", replica: "副本", state: "状态" },
    cores: "{{cores}} 核 {{threads}} 线程",
    degrees: "{{degrees}} 摄氏度",
    driver: "驱动 {{version}}",
    emptyHint: "运行 aiMindServe 的机器会在启动片刻后自动出现在这里。",
    emptyTitle: "尚无机器上报",
    engines: "引擎：{{names}}",
    foreign: "其他程序",
    free: "可预留",
    freeHint: "新副本还可以预留的内存。",
    hint: "各台机器有哪些设备、谁预留了内存、实际使用了多少。",
    inUse: "实测使用",
    inUseHint: "驱动或系统当前测得的数值。模型加载或等待时会少于预留。",
    noEngines: "此机器未安装引擎",
    nobody: "没有副本在此预留内存。",
    silent: "自 {{time}} 起无响应",
    silentNever: "尚未上报",
    title: "资源",
    total: "可用总量",
    totalHint: "扣除系统或驱动自身占用后的内存。",
    utilization: "利用率 {{percent}} %",
  },
};
