"""A child that never ends, with a child of its own: what a cancel or a limit has to stop."""

import subprocess
import sys
import time

from engine import processes

if __name__ == "__main__":
    grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    processes.report(share=0.1, message="started", partial=grandchild.pid)
    time.sleep(600)
