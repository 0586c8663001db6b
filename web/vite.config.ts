import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// `npm run dev` shows the page of a server that runs already: TRIGPOINT_CONSOLE=http://127.0.0.1:PORT
const server = process.env.TRIGPOINT_CONSOLE ?? "http://127.0.0.1:8443";

/** What most pages need comes in one file, for each is a request; graphs and plots are large, and few pages have them. */
const isShared = (id: string) =>
  /src\/(design|lib|i18n|api)\//.test(id) && !/\/(Flow|afar|Plot|ticks|kept|sentences|sentences\.gen)\./.test(id);

export default defineConfig({
  base: "/console/",
  plugins: [react()],
  resolve: { alias: { "~": new URL("./src", import.meta.url).pathname } },
  build: {
    outDir: "../src/trigpoint/console/static",
    emptyOutDir: true,
    target: "es2022",
    sourcemap: false,
    // The content security policy allows no inline script, and every browser that we support preloads modules itself.
    modulePreload: { polyfill: false },
    rolldownOptions: { output: { codeSplitting: { groups: [{ name: "shared", test: isShared }] } } },
    chunkSizeWarningLimit: 700, // tests/web checks what the first page loads
  },
  server: { proxy: { "/console/api": { target: server, changeOrigin: false } } },
});
