// Where the page is: everything that a link must carry stands behind the `#`.

export const VIEWS = [
  ["alerts", "Alerts"],
  ["panels", "Attacks"],
  ["heatmap", "Heatmap"],
  ["history", "History"],
  ["nodes", "Nodes"],
  ["rules", "Rules"],
] as const;
export type View = (typeof VIEWS)[number][0] | "lineage";

class Route {
  view = $state<View>("alerts");
  query = $state.raw(new URLSearchParams());

  listen(): void {
    const read = (): void => {
      const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
      const known = path === "lineage" || VIEWS.some(([name]) => name === path);
      this.view = known ? (path as View) : "alerts";
      this.query = new URLSearchParams(query);
    };
    addEventListener("hashchange", read);
    read();
  }

  /** The link to a view. */
  link(view: View, query: URLSearchParams | Record<string, string> = {}): string {
    const text = new URLSearchParams(query).toString();
    return `#/${view}${text ? `?${text}` : ""}`;
  }

  go(view: View, query: URLSearchParams | Record<string, string> = {}): void {
    location.hash = this.link(view, query);
  }

  /** Changes the query of this view, without a step in the browser's history. */
  change(edit: (query: URLSearchParams) => void): void {
    const query = new URLSearchParams(this.query);
    edit(query);
    if (query.toString() === this.query.toString()) return;
    history.replaceState(null, "", this.link(this.view, query));
    this.query = query;
  }
}

export const route = new Route();
