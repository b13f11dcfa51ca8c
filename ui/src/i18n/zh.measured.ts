import type { enMeasured } from "./en.measured";

/** Words about memory as it was measured. */
export const zhMeasured: typeof enMeasured = {
  measured: {
    above: "高于估算",
    below: "低于估算",
    column: { item: "部分", estimated: "估算", measured: "实测", difference: "差异" },
    correction: "{{item}}：{{percent}}（依据 {{engine}} 运行 {{architecture}} 的 {{starts}} 次实测启动）",
    corrections: "实测启动对下次估算的校正",
    earlier: "更早的启动：{{count}} 次",
    item: { profile: "试运行", total: "引擎合计" },
    none: "尚未测量：下次启动后显示实测数据。",
    start: "启动于 {{time}}，{{engine}}，副本 {{replica}}，第 {{attempt}} 次启动",
    title: "估算与实测",
    tokens: "KV 缓存可容纳 {{tokens}} 个词元",
    unknown: "未估算",
    within: "与估算一致",
  },
};
