import { expect, test } from "vitest";
import { clipped, visible } from "../src/lib/visible";

test("plain text in any script stays as it is", () => {
  for (const text of ["bash -c 'id'", "größer 漢字 עברית 🦀", "", "a\u0301"]) expect(visible(text)).toBe(text);
});

test("nothing stays invisible", () => {
  for (const [text, shown] of [
    ["\u001b[31mred\u0007", "␛[31mred␇"],
    ["a\nb\tc\r\0", "a␊b␉c␍␀"],
    ["exe\u202ecod.txt", "exe‹202E›cod.txt"],
    ["\u2066x\u2069\u200b\u00ad\ufeff", "‹2066›x‹2069›‹200B›‹00AD›‹FEFF›"],
    ["a\u00a0b\u3000c", "a‹00A0›b‹3000›c"],
    ["\u007f\u0085\u2028\u2029", "␡‹0085›‹2028›‹2029›"],
    ["\ue000\u3164\u2800\ufe0f\u{e0041}", "‹E000›‹3164›‹2800›‹FE0F›‹E0041›"],
    [`a${"\u0301".repeat(10)}b`, "a\u0301\u0301\u0301\u0301‹6 more marks›b"],
    ["lone \ud800 half", "lone ‹D800› half"],
  ] as const)
    expect(visible(text)).toBe(shown);
});

test("what is cut is said", () => {
  expect(clipped("abcdef", 3)).toBe("abc… (3 more characters)");
  expect(clipped("abc", 3)).toBe("abc");
});
