import type { enDemand } from "./en.demand";

export const zhDemand: typeof enDemand = {
  scaling: {
    always: "始终运行全部副本",
    hold: "请求最长等待唤醒",
    idle: "闲置多久后结束副本",
    minimum: "最少副本数",
    minimumHint: "设为 0 时，模型在无人使用时休眠，不占用内存和显存，收到下一个请求时自动唤醒。",
    minutes: "分钟",
    queue: "每个副本的请求数",
    queueAuto: "自动",
    seconds: "秒",
    title: "按需运行",
    wakesIn: "唤醒后通常 {{seconds}} 秒就绪。",
  },
  aliases: {
    addTarget: "添加部署",
    edit: "编辑",
    editTitle: "{{name}} 的指向",
    fallback: "备用部署",
    fallbackHint: "其他部署均不可用时，在返回首个字之前由它来回答。",
    fallbackTo: "备用：{{name}}",
    hint: "别名是模型的另一个公开名称，可将请求分流到多个部署，并设置备用部署。",
    missing: "以下部署已不存在：{{names}}",
    nameHint: "程序以它作为模型名称；密钥也可限定于它。",
    new: "新建别名",
    none: "无",
    target: "部署",
    title: "别名",
    weight: "权重",
  },
};
