"""What the console says by itself, as templates of `str.format`; the page words it in its languages."""

UNWATCHED = (
    "What the program does to files below /gcs could not be watched (that needs root and fanotify): what lies there "
    "when the job is over is drawn as written by its first replica."
)
HALF_WATCHED = (
    "The program did more to files below /gcs at once than could be heard: some of it is missing, and what nobody was "
    "heard to write is drawn as written by the job's first replica."
)
NOT_DRAWN = "This picture could not be drawn; the server's log says why."
NOTHING = "There is no {name} that you may see. Check the name, or ask for access."
NO_NODE = "The picture of {run} has no node {node} now."
LOOK_ONLY = "A read-only link lets one look, not act."
LINK_ENDED = "This read-only link has ended or was taken back."
MANY_STREAMS = "{most:d} streams are open already: close some pages."
MANY_OF_LINK = "{most:d} streams of this link are open already: close some pages."
MANY_CODES = "Too many wrong codes. Wait a minute, then use a fresh one (`trig console`)."
NOT_FOLLOWED = "What happens can't be followed now. Try again."
NO_LINK = "There is no link {link}."
BAD_DAYS = "from more than 0 to {most:g}, not {days:g}"
