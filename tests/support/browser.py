"""A browser without a window, for the pages that tools write."""

import shutil
import subprocess

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-logging=stderr", "--v=0",
)  # fmt: skip


def opened(page, profile, width=1400):
    """What the document holds at the end, and the lines of the console."""
    line = [CHROMIUM, *QUIET, f"--user-data-dir={profile}", f"--window-size={width},900", "--virtual-time-budget=20000",
            "--dump-dom", page.as_uri()]  # fmt: skip
    done = subprocess.run(line, capture_output=True, text=True, timeout=180, check=True)
    return done.stdout, [text for text in done.stderr.splitlines() if "CONSOLE" in text]
