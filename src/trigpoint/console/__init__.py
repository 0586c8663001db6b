"""The console: the web pages' server side. It reads rows and events, and acts only through the public API."""
