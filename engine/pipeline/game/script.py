"""One case of the game: executed, and the answer judged."""

import json

from engine.pipeline import game
from engine.pipeline.game import GameParams
from engine.spark import session

PARAMS = GameParams()
result = game.run(PARAMS)
session.ENGINE.stop()
numbers = {
    "minutes": result.minutes,
    "delay minutes": round(result.delay_minutes, 1),
    "USD": round(result.money_usd),
}
if result.decided:
    numbers["right"] = result.right
print(json.dumps(numbers))
