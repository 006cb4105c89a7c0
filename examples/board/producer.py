"""Reads those of the board's instruments that this process is elected for: what producer.go does, in Python.

    python3 producer.py ROUTER-URL NAME
"""

import asyncio
import json
import math
import sys
import threading
import time
from pathlib import Path

import hakuban

PAUSE = 0.5  # seconds

INSTRUMENTS = {i["name"]: i for i in json.loads(Path(__file__).with_name("instruments.json").read_text("utf-8"))}


def value_at(instrument: dict, when: float) -> float:
    """What an instrument shows at a time. It depends on nothing else, so that a producer goes on where another stopped."""
    turn = 2 * math.pi * (when % 86_400) / instrument["period"]
    return instrument["middle"] + instrument["swing"] * (0.8 * math.sin(turn) + 0.2 * math.sin(7.3 * turn))


async def read(sink: hakuban.Sink, name: str) -> None:
    with sink:
        instrument = INSTRUMENTS[sink.object.value]
        while True:
            try:
                sink.send_json({"value": value_at(instrument, time.time()), "by": name})
            except hakuban.RevokedError:
                return  # another is elected
            await asyncio.sleep(PAUSE)


async def main(url: str, name: str) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()

    def wait_for_the_board() -> None:
        sys.stdin.read()  # ends with the board
        loop.call_soon_threadsafe(stopped.set)

    threading.Thread(target=wait_for_the_board, daemon=True).start()
    async with hakuban.Exchange() as exchange:
        exchange.connect(f"{url.split('#')[0]}#name={name}")
        expose = exchange.expose(hakuban.Tag("instrument"))
        tasks = set()
        stopping = asyncio.ensure_future(stopped.wait())
        while True:
            taking = asyncio.ensure_future(expose.next_async())
            await asyncio.wait({taking, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stopping.done() or (sink := taking.result()) is None:
                break
            task = asyncio.ensure_future(read(sink, name))
            tasks.add(task)
            task.add_done_callback(tasks.discard)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
