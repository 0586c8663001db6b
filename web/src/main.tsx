// Starts the page: looks, data, address.
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { retrying } from "~/api/retrying";
import { Gate } from "~/app/Gate";
import { makeRouter } from "~/app/router";
import { Design } from "~/design/Design";
import { language } from "~/i18n";
import { loadCatalogue } from "~/i18n/catalogue";

// Addresses that Google's SDK prints lie outside of /console: keep what was asked for, and go and find it.
if (!location.pathname.startsWith("/console")) {
  const asked = location.pathname + location.search;
  history.replaceState(null, "", `/console/go?to=${encodeURIComponent(asked)}${location.hash}`);
}

const queries = new QueryClient({ defaultOptions: { queries: retrying } });
const router = makeRouter(queries);
const root = document.getElementById("root");

function render(into: HTMLElement): void {
  createRoot(into).render(
    <StrictMode>
      <Design>
        <QueryClientProvider client={queries}>
          <Gate>
            <RouterProvider router={router} />
          </Gate>
        </QueryClientProvider>
      </Design>
    </StrictMode>,
  );
}

if (root) void loadCatalogue(language()).then(() => render(root));
