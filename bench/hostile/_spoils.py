"""Ways to make a store wrong, each of which must be found."""

SPOILS = {
    "lost": "delete from points where rowid = (select max(rowid) from points)",
    "twice": "insert into points select * from points limit 1",
    "invented": "update points set value = 0.125 where rowid = 0",
    "elsewhere": "update points set step = step // 2 + 1 where rowid = 0",
    "mean": "update totals_ set total = total + 1e300",
    "least": "update totals_ set minimum = minimum - 1",
    "superseded": "update points set attempt = attempt + 1 where rowid % 7 = 0",
    "ended": "update runs set status = 'finished' where status = 'crashed'",
    "setting": "delete from params_",
}
"""SQL that does it, by what it does."""
