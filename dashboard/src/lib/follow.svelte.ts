// Views that ask the server keep up with the stream: what came is asked for.

import { untrack } from "svelte";
import { live } from "./live.svelte";

/** Calls `soon` whenever alerts have come, while the component is there. */
export function follow(soon: () => void): void {
  let seen = live.total;
  $effect(() => {
    if (live.total === seen) return;
    seen = live.total;
    untrack(soon);
  });
}
