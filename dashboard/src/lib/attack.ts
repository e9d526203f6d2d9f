// MITRE ATT&CK in the tags of a rule, as words: the page links nowhere.

export interface Technique {
  id: string;
  text: string;
}

/** `T1059.004` → its place in the catalogue, `mitre_execution` → the tactic. */
export function techniques(tags: readonly string[]): Technique[] {
  return tags.flatMap((tag) => {
    const technique = /^(T\d{4})(?:\.(\d{3}))?$/.exec(tag);
    if (technique) {
      const [, id = "", sub] = technique;
      return [{ id: tag, text: `attack.mitre.org/techniques/${id}${sub ? `/${sub}` : ""}` }];
    }
    const tactic = /^mitre_(.+)$/.exec(tag);
    return tactic?.[1] ? [{ id: tag, text: `tactic: ${tactic[1].replaceAll("_", " ")}` }] : [];
  });
}
