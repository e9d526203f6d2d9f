import { mount } from "svelte";
import App from "./App.svelte";
import "uplot/dist/uPlot.min.css";
import "./app.css";
import { live } from "./lib/live.svelte";
import { route } from "./lib/route.svelte";
import { settings } from "./lib/settings.svelte";

settings.load();
route.listen();
live.open();

const target = document.getElementById("app");
if (target) mount(App, { target });
