"""Ways to make a store wrong, each of which must be found."""

SPOILS = {
    "lost": "delete from points where rowid = (select max(rowid) from points)",
    "twice": "insert into points select * from points limit 1",
    "invented": "update points set value = value * 2 + 1 where rowid = 0",
    "mean": "update totals_ set total = total + 1e308",
    "least": "update totals_ set minimum = minimum - 1",
    "ended": "update runs set status = 'finished' where status = 'crashed'",
    "setting": "delete from params_",
}
