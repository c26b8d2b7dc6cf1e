"""Names and values that would be links, pictures, tags or scripts if anything followed them; and an
upload full of them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq

HOST = "evil.example"
TEXTS = (
    f"[link](http://{HOST}/a)",
    f"![picture](http://{HOST}/b.png)",
    f"[![both](http://{HOST}/c.png)](//{HOST}/c)",
    f"<http://{HOST}/d>",
    f'<img src="http://{HOST}/e.png" onerror="window.pwned=1">',
    '<a href="javascript:window.pwned=1">script</a>',
    f'<a href="http://{HOST}/f">tag</a>',
    f'<span style="cursor:url(http://{HOST}/g.cur),auto;background:url(http://{HOST}/g.png)">style</span>',
    f"http://{HOST}/h and HTTPS://{HOST}/i",
    f"www.{HOST}",
    f"someone@{HOST}",
    f"http&#58;//{HOST}/j &#104;ttp://{HOST}/k http\\://{HOST}/l",
    f"x\n\n[m]: http://{HOST}/m\n\n[m] ![m][m]",
    "</script><script>window.pwned=1</script>",
    f"$\\href{{http://{HOST}/n}}{{x}}$ `code` **bold**",
    f'=HYPERLINK("http://{HOST}/o")',
)


def table(n_rows: int = 400) -> pa.Table:
    """Return numbers under hostile names, a text column and a two-valued label of hostile values,
    one column that leaks it.
    """
    rng = np.random.default_rng(0)
    label = rng.random(n_rows) < 0.2
    columns: dict[str, object] = {name: rng.normal(size=n_rows) for name in TEXTS}
    columns["leak ![p](http://evil.example/p.png)"] = label * 10.0 + rng.normal(size=n_rows)
    columns["text <b>[q](http://evil.example/q)</b>"] = [
        TEXTS[i] for i in rng.integers(len(TEXTS), size=n_rows)
    ]
    columns["label [r](http://evil.example/r)"] = [TEXTS[0] if one else TEXTS[4] for one in label]
    return pa.table(columns)


def upload(folder: Path, kind: str) -> Path:
    """Write the table as ``kind`` under a hostile file name and return the path."""
    path = folder / f"![s](http---{HOST}-s.png).{kind}"
    if kind == "csv":
        csv.write_csv(table(), str(path))
    else:
        pq.write_table(table(), str(path))
    return path
