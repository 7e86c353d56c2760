// What the page says, in two languages.

const ENGLISH = {
  skip: "Skip to the stickers", query: "Search stickers", picture: "Search by a picture", suggestions: "Suggestions", add: "Add pictures or archives",
  you: "You are …", everybody: "everybody", me: "me", collection: "Collection", taste: "My taste",
  theme: "Dark or light", lean: "taste", leanHelp: "How much your own taste counts", beside: "compare with", besidePlace: "compare", filters: "Filters",
  moving: "moving", help: "Click or Enter copies a sticker and learns from it. Arrows move; W why, S similar, F favourite, E edit, M look-alikes. Drop or paste a picture to search by it, drop a folder to add it.",
  recent: "Recent", favourites: "Favourites", popular: "Popular", results: "Stickers", similar: "Similar", more: "More",
  why: "Why this?", edit: "Edit the words", favourite: "Favourite", findSimilar: "Similar stickers", close: "Close",
  wordsPart: "Words", alike: "Likeness", usefulPart: "Useful to many", stylePart: "Your style", styleLess: "Unlike your styles",
  copied: "Copied", copiedLink: "The address is copied", picked: "{title}: {how}. The next answer leans towards how it is drawn.",
  pickedNobody: "{title}: {how}. Say who you are, and answers will learn from it.", notCopied: "This browser does not let pages copy",
  completed: "No sticker has “{typed}”; these are for “{used}”", copies: "{n} more", copiesHelp: "The same drawing again, in other files", welcome: "See it as one of them, or say who you are:", whoFirst: "Say who you are first.", clear: "Empty the box",
  moved: "up {n}", noTaste: "No picks yet. Click some stickers, and your styles appear here.",
  notMine: "Not my style", forget: "Forget me", forgetSure: "Delete all that is stored about {user}?", forgotten: "{user} is forgotten; picks deleted: {n}.",
  export: "Export", share: "{n}% of your picks", map: "Your picks; what is drawn alike lies together", style: "Style {n}",
  score: "Score {n}", said: "from {who}", edited: "edited by hand", save: "Save", cancel: "Cancel", saved: "Saved; it is found by this at once.",
  editHelp: "One phrase a line", point: "Point in Qdrant", dashboard: "Qdrant dashboard", pictureLink: "The picture",
  filterCopied: "{filter} is copied: paste it into the filter of the dashboard, and it shows this point.", pick: "Copy",
  dropSearch: "Search by this picture", dropAdd: "Add to the collection", adding: "Adding {done} of {all}", added: "{n} added, {known} known before, {bad} skipped",
  unreachable: "The service does not answer. Is it running, and are you online?",
  key: "This service needs a key", keyHelp: "Paste an API key; it stays in a cookie that scripts cannot read.", enter: "Enter",
  styleOf: "For {user}", fields: { name: "Name", tags: "Tags", emoji: "Emoji", ocr: "Text in the picture", description: "Description", keywords: "Keywords", emotions: "Emotions", queries: "Queries", pack: "Pack" },
};

const CHINESE = {
  skip: "跳到贴纸", query: "搜索贴纸", picture: "用图片搜索", suggestions: "建议", add: "添加图片或压缩包",
  you: "你是…", everybody: "所有人", me: "我", collection: "合集", taste: "我的品味",
  theme: "深色或浅色", lean: "品味", leanHelp: "你自己的品味占多少", beside: "对比", besidePlace: "对比", filters: "筛选",
  moving: "动图", help: "点击或按回车复制贴纸并学习。方向键移动;W 为什么,S 相似,F 收藏,E 编辑,M 相同图片。拖入或粘贴图片即可搜索,拖入文件夹即可添加。",
  recent: "最近使用", favourites: "收藏", popular: "热门", results: "贴纸", similar: "相似", more: "更多",
  why: "为什么?", edit: "编辑文字", favourite: "收藏", findSimilar: "相似贴纸", close: "关闭",
  wordsPart: "词语", alike: "相似度", usefulPart: "大家都用", stylePart: "你的风格", styleLess: "不像你的风格",
  copied: "已复制", copiedLink: "已复制地址", picked: "{title}:{how}。之后的结果会偏向这种画风。",
  pickedNobody: "{title}:{how}。填上你是谁,结果就会学习。", notCopied: "浏览器不允许网页复制",
  completed: "没有贴纸有“{typed}”,这些是“{used}”的", copies: "还有 {n} 张", copiesHelp: "同一张图的其他文件", welcome: "以其中一位的身份看看,或填上你是谁:", whoFirst: "请先填上你是谁。", clear: "清空",
  moved: "升 {n}", noTaste: "还没有选过贴纸。点几张,你的风格就会出现在这里。",
  notMine: "不是我的风格", forget: "忘记我", forgetSure: "删除关于 {user} 的全部数据?", forgotten: "已忘记 {user},删除了 {n} 次选择。",
  export: "导出", share: "占你选择的 {n}%", map: "你选过的贴纸;画风相近的靠在一起", style: "风格 {n}",
  score: "得分 {n}", said: "来源:{who}", edited: "人工编辑", save: "保存", cancel: "取消", saved: "已保存,立即可以搜到。",
  editHelp: "每行一个短语", point: "Qdrant 中的点", dashboard: "Qdrant 控制台", pictureLink: "图片",
  filterCopied: "已复制 {filter}:粘贴到控制台的筛选框,就会显示这个点。", pick: "复制",
  dropSearch: "用这张图片搜索", dropAdd: "添加到合集", adding: "正在添加 {done} / {all}", added: "新增 {n},已有 {known},跳过 {bad}",
  unreachable: "服务没有回应。它在运行吗?网络连接正常吗?",
  key: "此服务需要密钥", keyHelp: "粘贴 API 密钥;它保存在脚本读不到的 cookie 里。", enter: "确定",
  styleOf: "给 {user}", fields: { name: "名称", tags: "标签", emoji: "表情", ocr: "图中文字", description: "描述", keywords: "关键词", emotions: "情绪", queries: "查询", pack: "套图" },
};

const TEXTS = { en: ENGLISH, zh: CHINESE };
let language = "en";

export function currentLanguage() { return language; }

/** Returns the text of a name, with {placeholders} filled in. */
export function t(name, values = {}) {
  const text = TEXTS[language][name] ?? name;
  return typeof text === "string" ? text.replace(/\{(\w+)\}/g, (_, key) => String(values[key] ?? "")) : text;
}

/** Puts a language into everything that the HTML names. */
export function speak(chosen) {
  language = chosen in TEXTS ? chosen : "en";
  document.documentElement.lang = language === "zh" ? "zh-Hans" : "en";
  for (const element of document.querySelectorAll("[data-t]")) element.textContent = t(element.dataset.t);
  for (const element of document.querySelectorAll("[data-place]")) element.placeholder = t(element.dataset.place);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", t(element.dataset.label));
  for (const element of document.querySelectorAll("[data-tip]")) element.title = t(element.dataset.tip);
  const other = document.getElementById("language");
  other.textContent = language === "en" ? "中" : "EN";
  other.lang = language === "en" ? "zh" : "en";
  other.setAttribute("aria-label", language === "en" ? "中文" : "English");
}
