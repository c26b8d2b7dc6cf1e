"""Validate a batch against its contract, quarantine the rows that break it, with the reason."""

import pandas as pd
import pandera.pandas as pa

contract = pa.DataFrameSchema(
    {
        "carrier": pa.Column(str, pa.Check.isin(["UA", "AA", "DL"])),
        "distance": pa.Column(int, pa.Check.in_range(1, 5_000)),
    }
)
batch = pd.DataFrame({"carrier": ["UA", "XX", "DL"], "distance": [1_400, 760, -1]})
broken = pd.DataFrame(columns=["index", "check"])
try:
    contract.validate(batch, lazy=True)  # lazy: every failure, not only the first
except pa.errors.SchemaErrors as error:
    broken = error.failure_cases
loaded = batch.drop(broken["index"].unique())
print(len(loaded))  # 1
print(broken["check"].tolist())  # ["isin(['UA', 'AA', 'DL'])", 'in_range(1, 5000)']
