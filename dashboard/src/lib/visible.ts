// Names and paths are chosen by whoever is watched. What cannot be seen, or changes how the rest is read, is
// shown as a sign of its own.

const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}\p{Cn}\u034F\u115F\u1160\u2800\u3164\uFE00-\uFE0F\uFFA0\u{E0100}-\u{E01EF}]|(?! )\p{Zs}/gu;

function sign(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code); // ␛ and its like
  if (code === 0x7f) return "␡";
  return `‹${code.toString(16).toUpperCase().padStart(4, "0")}›`;
}

// Marks that pile up on one letter cover what stands above and below, and take ages to draw.
const PILE = /(\p{M}{4})(\p{M}+)/gu;

/** The text with every invisible, control and direction character made visible. */
export function visible(text: string): string {
  return text
    .replace(HIDDEN, sign)
    .replace(PILE, (_, kept: string, more: string) => `${kept}‹${[...more].length} more marks›`);
}

/** The same, at most `most` characters long; what is cut is said. */
export function clipped(text: string, most: number): string {
  if (text.length <= most) return visible(text);
  return `${visible(text.slice(0, most))}… (${text.length - most} more characters)`;
}
