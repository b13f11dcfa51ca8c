import i18next from "i18next";
import { initReactI18next } from "react-i18next";
import type { en } from "./en";

export const LANGUAGES = { "zh-CN": "中文", en: "English" } as const;
export type Language = keyof typeof LANGUAGES;

/** Only the words that are read are loaded. */
const WORDS: Record<Language, () => Promise<typeof en>> = {
  "zh-CN": async () => (await import("./zh")).zh,
  en: async () => (await import("./en")).en,
};

const STORAGE_KEY = "aimindserve-language";

declare module "i18next" {
  interface CustomTypeOptions {
    resources: { translation: typeof en };
  }
}

function stored(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null; // Storage is switched off in this browser.
  }
}

/** The language chosen here before, else the browser's. */
export function preferredLanguage(): Language {
  const wish = stored() ?? navigator.language;
  return wish.toLowerCase().startsWith("zh") ? "zh-CN" : "en";
}

export function currentLanguage(): Language {
  return i18next.language === "zh-CN" ? "zh-CN" : "en";
}

export async function setLanguage(language: Language): Promise<void> {
  if (!i18next.hasResourceBundle(language, "translation"))
    i18next.addResourceBundle(language, "translation", await WORDS[language]());
  await i18next.changeLanguage(language);
  try {
    localStorage.setItem(STORAGE_KEY, language);
  } catch {
    return; // The choice then lasts as long as the page.
  }
}

i18next.on("languageChanged", (language) => {
  document.documentElement.lang = language;
});

const first = preferredLanguage();

void i18next.use(initReactI18next).init({
  resources: { [first]: { translation: await WORDS[first]() } },
  lng: first,
  fallbackLng: false,
  interpolation: { escapeValue: false }, // React escapes.
  initAsync: false,
});

export { i18next };
