#!/usr/bin/python3
"""The program on a pseudo-terminal: lines that fit and follow its width, Ctrl-C once and twice, colours."""
import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

program = os.path.abspath(sys.argv[1])
PATIENCE_S = 60  # nothing is asserted of speed but that the first Ctrl-C is answered before the layer ends
ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Terminal:
    """A program whose stderr (and terminal) is a pseudo-terminal; its stdout is left out or the same."""

    def __init__(self, *arguments, columns=80, stdout=subprocess.DEVNULL, **environment):
        self.far_end, own = os.openpty()
        self.resize(columns)
        base = {name: value for name, value in os.environ.items()
                if name not in ("NO_COLOR", "CLICOLOR_FORCE")}
        self.process = subprocess.Popen(
            [program, *arguments], stdin=own, stdout=own if stdout == "terminal" else stdout, stderr=own,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(2, termios.TIOCSCTTY, 0),
            env={**base, "TERM": "xterm", **environment})
        os.close(own)
        self.text = ""

    def resize(self, columns):
        fcntl.ioctl(self.far_end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def read(self, seconds):
        """What is printed within the time; less at the end of the program."""
        end, before = time.monotonic() + seconds, len(self.text)
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.far_end], [], [], left)[0]:
                break
            try:
                piece = os.read(self.far_end, 65536)
            except OSError:  # Linux: the other end is closed
                break
            if not piece:
                break
            self.text += piece.decode()
        return self.text[before:]

    def wait_for(self, wanted):
        end = time.monotonic() + PATIENCE_S
        while wanted not in self.text:
            assert time.monotonic() < end and self.process.poll() is None, (wanted, self.text)
            self.read(0.05)

    def press_ctrl_c(self):
        os.write(self.far_end, b"\x03")

    def end(self):
        """Exit code and everything printed."""
        end = time.monotonic() + PATIENCE_S
        while self.process.poll() is None:
            assert time.monotonic() < end, self.text
            self.read(0.05)
        self.read(0.2)
        os.close(self.far_end)
        return self.process.returncode, self.text


def run(*arguments, code=0, **environment):
    done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          timeout=PATIENCE_S, env={**os.environ, **environment})
    assert done.returncode == code, (arguments, done.returncode, done.stderr)
    return done.stdout


def progress_lines(text):
    """The lines that were drawn over each other; none may have scrolled the screen."""
    lines = [line for line in ESCAPES.sub("", text.replace("\x1b[K", "\v")).split("\r\v")
             if re.match(r"\[[=> ]+\] |[ 0-9]{3} %", line)]
    for line in lines:
        assert "\n" not in line, repr(line)
    return lines


def check_lines(lines, columns):
    assert lines and all(len(line) < columns for line in lines), (columns, lines)
    assert ("eta" in lines[-1]) and ("[" in lines[-1] or columns < 80 or len(lines[-1]) > 65), lines


def check_width(*arguments, endless=False):
    """A command that would not end is interrupted once it has drawn three lines: however fast the machine is."""
    for columns in (80, 40, 20):
        running = Terminal(*arguments, columns=columns)
        end = time.monotonic() + PATIENCE_S
        while endless and len(progress_lines(running.text)) < 3:
            assert time.monotonic() < end and running.process.poll() is None, running.text
            running.read(0.05)
        if endless:
            lines = progress_lines(running.text)[:2]  # the third may be half read
            running.press_ctrl_c()
        code, text = running.end()
        assert code == (130 if endless else 0), (arguments, code, text)
        check_lines(lines if endless else progress_lines(text), columns)


def check_resize():
    running = Terminal("sweep", "--device", "fake", "-t", "200s", "-O", "resized.h5", columns=120)
    running.wait_for("rounds/s")
    for columns in (60, 30, 90):
        running.resize(columns)
        running.read(0.4)  # a line may just be drawn
        lines = progress_lines(running.read(1.5))[1:-1]
        assert lines and all(len(line) < columns for line in lines), (columns, lines)
    running.press_ctrl_c()
    assert running.end()[0] == 130


def check_sweep():
    """A layer that does not end: the first Ctrl-C is answered at once, the second ends. Nothing is lost."""
    command = ("sweep", "--device", "fake", "-l", "dense", "-n", "3000", "--timeout", "1000s", "-O", "cut.h5")
    running = Terminal(*command, EPOCHCAST_FAKE_FAULTS="hang=0.0005")
    sizes = [-2, -1]
    while sizes[-1] != sizes[-2] or sizes[-1] < 0:  # until it hangs
        running.read(2)
        sizes.append(os.stat("cut.h5").st_size if os.path.exists("cut.h5") else -len(sizes) - 1)
        assert running.process.poll() is None, running.text
    running.press_ctrl_c()
    running.wait_for("epochcast: stopping after this layer; Ctrl-C again ends now")
    time.sleep(0.5)
    assert running.process.poll() is None
    running.press_ctrl_c()
    code, text = running.end()
    assert code == 130 and "epochcast: ended in the middle; the rows written so far are safe" in text, text
    kept = int(run("show", "cut.h5", "-o", "csv").splitlines()[1].split(",")[2])
    assert kept >= 50, kept
    first = run("export", "cut.h5", "--layer", "dense", "-o", "csv").splitlines()
    run(*command)  # resumes
    whole = run("export", "cut.h5", "--layer", "dense", "-o", "csv").splitlines()
    assert len(whole) == 3001, len(whole)
    features = slice(0, 8)
    known = {tuple(line.split(",")[features]) for line in whole}
    assert all(tuple(line.split(",")[features]) in known for line in first[1:])


def check_one_press(unit, *arguments, code=130):
    running = Terminal(*arguments)
    running.wait_for(" % ")
    running.press_ctrl_c()
    ended, text = running.end()
    assert ended == code, (ended, text)
    assert f"epochcast: stopping after this {unit}; Ctrl-C again ends now" in text, text
    progress_lines(text[:text.index("stopping")])


def check_verify():
    """A step takes longer than the patience of the one who presses twice."""
    with open("large.csv", "w") as file:
        file.write("name,layer,inputs,outputs\n")
        for i in range(12):
            file.write(f"fc{i},dense,4096,4096\n")
    run("sweep", "--device", "cpu", "-l", "dense", "--set", "inputs=1..64", "--set", "outputs=1..64", "-n", "60",
        "--cap-ms", "3", "-q", "-O", "cpu.h5")
    run("train", "cpu.h5", "--epochs", "5", "-q", "-O", "cpu-model.h5")
    running = Terminal("verify", "large.csv", "-m", "cpu-model.h5", "--device", "cpu", "-b", "256", "--cap-ms",
                       "100000")
    running.wait_for(" % ")
    running.press_ctrl_c()
    running.wait_for("stopping after this step")
    running.press_ctrl_c()
    code, text = running.end()
    assert code == 130 and ("nothing was compared" in text or "interrupted after" in text), text


def check_colours():
    red, cyan, bold = "\x1b[1;31m", "\x1b[1;36m", "\x1b[1m"
    mistake = ("swep",)
    code, text = Terminal(*mistake).end()
    assert code == 2 and text.startswith(red + "epochcast:\x1b[0m ") and cyan + "hint:" in text, text
    assert "\x1b" not in Terminal(*mistake, NO_COLOR="1").end()[1]
    assert "\x1b" not in Terminal(*mistake, TERM="dumb").end()[1]
    done = subprocess.run([program, *mistake], stderr=subprocess.PIPE, text=True)
    assert "\x1b" not in done.stderr
    done = subprocess.run([program, *mistake], stderr=subprocess.PIPE, text=True,
                          env={**os.environ, "CLICOLOR_FORCE": "1"})
    assert done.stderr.startswith(red), done.stderr
    for arguments, heading in ((("sweep", "--help"), "options:"), (("show", "layers"), "layer")):
        shown = Terminal(*arguments, stdout="terminal").end()[1]
        assert bold + heading in shown, shown
        plain = ESCAPES.sub("", shown).replace("\r\n", "\n")
        assert plain == run(*arguments), plain


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background shell ignores it for its children
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        run("sweep", "--device", "fake", "-n", "600", "-q", "-O", "fake.h5")
        check_colours()
        check_width("sweep", "--device", "fake", "-t", "1s", "--overwrite", "-O", "timed.h5")
        check_width("train", "fake.h5", "--epochs", "1000000", "-O", "never.h5", endless=True)
        check_resize()
        check_sweep()
        check_one_press("step", "train", "fake.h5", "--epochs", "1000000", "-O", "never.h5")
        check_one_press("step", "train", "fake.h5", "--search", "1000", "-O", "never.h5")
        assert not os.path.exists("never.h5")
        check_verify()


main()
