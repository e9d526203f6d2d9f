// What this browser prefers.

const read = (name: string): string | null => {
  try {
    return localStorage.getItem(`sentinel.${name}`);
  } catch {
    return null; // storage may be switched off
  }
};

const write = (name: string, value: string): void => {
  try {
    localStorage.setItem(`sentinel.${name}`, value);
  } catch {
    // then it holds until the page is closed
  }
};

export type Theme = "dark" | "light";

class Settings {
  theme = $state<Theme>("dark");
  utc = $state(false);

  load(): void {
    const known = read("theme");
    const light = matchMedia("(prefers-color-scheme: light)").matches;
    this.theme = known === "light" || known === "dark" ? known : light ? "light" : "dark";
    this.utc = read("utc") === "yes";
    document.documentElement.dataset["theme"] = this.theme;
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    document.documentElement.dataset["theme"] = theme;
    write("theme", theme);
  }

  setUtc(utc: boolean): void {
    this.utc = utc;
    write("utc", utc ? "yes" : "no");
  }
}

export const settings = new Settings();
