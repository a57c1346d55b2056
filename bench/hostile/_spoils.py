"""Ways to make a store wrong, each of which must be found."""

SPOILS = {
    "lost": "delete from store.main.points where step = (select max(step) from points)",
    "twice": "insert into store.main.points select * from store.main.points limit 1",
    "invented": "update store.main.points set value = 0.125 where rowid = 0",
    "elsewhere": "update store.main.points set step = step // 2 + 1 where rowid = 0",
    "mean": "update store.main.totals_ set total = total + 1e300",
    "least": "update store.main.totals_ set minimum = minimum - 1",
    "superseded": "update store.main.points set attempt = attempt + 1 where rowid % 7 = 0",
    "ended": "update store.main.runs set status = 'finished' where status = 'crashed'",
    "setting": "delete from store.main.params_",
}
"""SQL that does it, by what it does."""
