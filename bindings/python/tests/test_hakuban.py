"""The scenarios of tests/cabi, as Python tells them. HAKUBAN_ROUTER is the URL of a router."""

import asyncio
import gc
import logging
import os
import threading
import unittest

import hakuban
from hakuban import Exchange, Object, State, Tag

LONG = 30.0  # seconds that anything that must happen may take
ROUTER = os.environ.get("HAKUBAN_ROUTER", "")


def text(data, version, **more):
    return State(data.encode(), format=("text",), version=(version,), **more)


class World:
    """An exchange with one object, exposed and observed."""

    def __init__(self):
        self.exchange = Exchange()
        self.object = Object("o", tags=["t"])
        self.observe, self.expose = self.exchange.observe(self.object), self.exchange.expose(self.object)
        self.stream, self.sink = self.observe.next(LONG), self.expose.next(LONG)


class Names(unittest.TestCase):
    def test_tag_json(self):
        for value, spelled in [("a", '"a"'), (None, "null"), ([1, 2.5, -3, 1.0], "[1,2.5,-3,1.0]"), ({"b": 1, "a": {}}, '{"a":{},"b":1}'),
                               (2**64 - 1, "18446744073709551615"), ("é\n😀", '"é\\n😀"')]:
            self.assertEqual(Tag(value).text, spelled)
            self.assertEqual(Tag(value).value, value)

    def test_object_json_and_tags(self):
        named = Object({"z": 1, "y": [None]}, tags=["a", {"k": 2}, Tag("a")])
        self.assertEqual(named.text, '{"y":[null],"z":1}')
        self.assertEqual(named.tags, {Tag("a"), Tag({"k": 2})})
        self.assertEqual(named, Object({"y": [None], "z": 1}, tags=[{"k": 2}, "a"]))
        self.assertNotEqual(named, Object({"y": [None], "z": 1}))
        self.assertNotEqual(Tag(1), Tag(1.0))
        self.assertEqual(len({named, Object(named.value, named.tags)}), 1)
        self.assertIn("Object({", repr(named))

    def test_invalid_names(self):
        for value in [float("nan"), float("inf"), object(), "\ud800", {1, 2}]:
            with self.assertRaises(hakuban.InvalidNameError):
                Tag(value)
            with self.assertRaises(ValueError):
                Object(1, tags=[value])

    def test_invalid_urls(self):
        with Exchange() as exchange:
            for url in ["", "127.0.0.1:1", "http://127.0.0.1:1", "ws://127.0.0.1:1#what=1", "ws://127.0.0.1:99999", "\0", "\udcff"]:
                with self.assertRaises(hakuban.InvalidURLError):
                    exchange.connect(url)
            with exchange.connect("ws://127.0.0.1:1"), self.assertRaises(hakuban.HasUpstreamError):
                exchange.connect("ws://127.0.0.1:1")
            with self.assertRaises(hakuban.FailedError):
                exchange.listen("ws://192.0.2.1:1")


class States(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.exchange.close)

    def seen(self):
        return self.world.stream.next(LONG)

    def test_state_fields(self):
        sent = State(b"\0\1\xff", format=("JSON", "gzip", "été"), version=(0, -5, 2**63 - 1))
        self.world.sink.send(sent)
        seen = self.seen()
        self.assertEqual(seen, sent)
        self.assertTrue(seen.synchronized)

    def test_empty_state(self):
        self.world.sink.send(State(b""))
        seen = self.seen()
        self.assertEqual((seen.data, seen.format), (b"", ()))
        self.assertGreater(seen.version, (0,))

    def test_invalid_state(self):
        with self.assertRaises(hakuban.InvalidTextError):
            self.world.sink.send(State(b"", format=("a\0b",)))
        with self.assertRaises(ValueError):
            State(b"[]").json()

    def test_json(self):
        self.world.sink.send_json({"temperature": 21.5})
        self.assertEqual(self.seen().json(), {"temperature": 21.5})

    def test_newest_only(self):
        for version, data in enumerate(["one", "two", "three"], 1):
            self.world.sink.send(text(data, version))
        self.assertEqual(self.seen().data, b"three")
        with self.assertRaises(TimeoutError):
            self.world.stream.next(timeout=0)

    def test_older_version_is_not_taken(self):
        self.world.sink.send(text("five", 5))
        for version, data in [(4, "four"), (5, "other")]:
            with self.assertRaises(hakuban.StaleError):
                self.world.sink.send(text(data, version))
        self.assertEqual(self.seen().data, b"five")

    def test_flag_alone_is_news(self):
        self.world.sink.send(text("same", 1))
        self.assertTrue(self.seen().synchronized)
        self.world.sink.send(text("same", 1, synchronized_ago=5))
        self.assertFalse(self.seen().synchronized)

    def test_received_state_is_sent_on(self):
        other = World()
        self.world.sink.send(text("passed on", 3))
        other.sink.send(self.seen())
        self.assertEqual(other.stream.next(LONG), text("passed on", 3))
        other.exchange.close()

    def test_large_state(self):
        data = os.urandom(5_000_000)
        self.world.sink.send(State(data))
        self.assertEqual(self.seen().data, data)


class Contracts(unittest.TestCase):
    def test_tag_exposes(self):
        with Exchange() as exchange, exchange.expose(Tag("t"), capacity=100) as expose:
            expose.set_capacity(7)
            for number in range(3):
                with exchange.observe(Object(number, tags=["t"])) as observe:
                    sink, stream = expose.next(LONG), observe.next(LONG)
                    self.assertEqual(sink.object, stream.object)
                    sink.send_json(number)
                    self.assertEqual(stream.next(LONG).json(), number)
                sink.close()

    def test_tag_observes_with_loops(self):
        seen = []
        with Exchange() as exchange, exchange.observe(Tag("t")) as observe:
            with exchange.expose(Object("o", tags=["t"])) as expose:
                for sink in expose:
                    sink.send(text("hello", 1))
                    break
                for stream in observe:
                    for state in stream:  # until the object is gone
                        seen.append(state.data)
                        expose.close()
                    break
        self.assertEqual(set(seen), {b"hello"})

    def test_dropped_ones_come_again(self):
        world = World()
        for version in range(1, 4):
            world.sink.send(text("again", version))
            self.assertEqual(world.stream.next(LONG).version, (version,))
            world.stream.close()
            world.sink.close()
            world.stream, world.sink = world.observe.next(LONG), world.expose.next(LONG)
        world.exchange.close()

    def test_what_is_forgotten_ends(self):
        world = World()
        sink, world.stream, world.observe = world.sink, None, None
        gc.collect()
        sink.wait_ended(LONG)
        with self.assertRaises(hakuban.RevokedError):
            sink.send(text("nobody looks", 1))
        stream = world.exchange.observe(Object("p")).next(LONG)  # keeps its contract
        gc.collect()
        with self.assertRaises(TimeoutError):
            stream.next(timeout=0)

    def test_closing_ends_who_waits(self):
        world = World()
        ends = [(world.observe.close, world.stream.next), (world.expose.close, lambda: world.sink.wait_ended() or None)]
        ends.append((world.exchange.close, world.exchange.expose(Object("idle")).next))
        for close, wait in ends:
            results = []
            thread = threading.Thread(target=lambda: results.append(wait()))
            thread.start()
            close()
            thread.join(LONG)
            self.assertEqual(results, [None])
        for after in [world.observe.next, world.stream.next, world.expose.next]:
            self.assertIsNone(after())
        with self.assertRaises(hakuban.HakubanError):
            world.exchange.observe(Object(1))

    def test_threads(self):
        with Exchange() as exchange, exchange.expose(Tag("t"), capacity=32) as expose:
            seen = []

            def observe(number):
                with exchange.observe(Object(number, tags=["t"])) as contract, contract.next(LONG) as stream:
                    seen.append(stream.next(LONG).json() == number)

            threads = [threading.Thread(target=observe, args=(number,)) for number in range(32)]
            for thread in threads:
                thread.start()
            sinks = [expose.next(LONG) for _ in threads]  # one that is closed, or forgotten, comes again
            for sink in sinks:
                sink.send_json(sink.object.value)
            for thread in threads:
                thread.join(LONG)
            self.assertEqual(seen, [True] * 32)

    def test_fork_is_refused(self):
        exchange = Exchange()
        child = os.fork()
        if child == 0:
            try:
                exchange.observe(Object(1))
            except hakuban.ForkedError:
                os._exit(0)
            finally:
                os._exit(1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        exchange.close()

    def test_log(self):
        with self.assertLogs("hakuban", logging.INFO) as logs, Exchange() as exchange:
            hakuban.log(logging.INFO)
            come = threading.Event()
            handler = logging.Handler()
            handler.emit = lambda record: come.set()
            logging.getLogger("hakuban").addHandler(handler)
            exchange.listen("ws://127.0.0.1:0").close()
            self.assertTrue(come.wait(LONG))
            hakuban.log(None)
        logging.getLogger("hakuban").removeHandler(handler)
        self.assertIn("listening", "\n".join(logs.output))


class Links(unittest.TestCase):
    def test_over_a_listener(self):
        with Exchange() as top, Exchange() as bottom, top.listen("ws://127.0.0.1:0#name=top") as listener:
            with bottom.connect(listener.url) as connector, top.observe(Object(1)) as observe, bottom.expose(Object(1)) as expose:
                expose.next(LONG).send_json("from below")
                self.assertEqual(observe.next(LONG).next(LONG).json(), "from below")
                self.assertTrue(connector.connected)
                self.assertIs(connector.next(LONG), True)
                self.assertIn(connector.upstream_name, ("top", ""))

    def test_links_last_as_long_as_the_exchange(self):
        with Exchange() as top, Exchange() as bottom:
            bottom.connect(top.listen("ws://127.0.0.1:0").url)  # which nothing refers to
            gc.collect()
            with top.observe(Object(1)) as observe, bottom.expose(Object(1)) as expose:
                self.assertIsNotNone(expose.next(LONG))
                self.assertIsNotNone(observe.next(LONG))

    def test_links_made_and_lost(self):
        with Exchange() as top, Exchange() as bottom:
            listener = top.listen("ws://127.0.0.1:0")
            with bottom.connect(listener.url) as connector:
                self.assertIs(connector.next(LONG), True)
                with self.assertRaises(TimeoutError):
                    connector.next(0)
                listener.close()
                self.assertIs(connector.next(LONG), False)

                async def relinked():
                    with top.listen(listener.url):
                        async for connected in connector:
                            return connected

                self.assertIs(asyncio.run(relinked()), True)
                self.assertIs(next(iter(connector)), False)
            self.assertIsNone(connector.next(LONG))

    @unittest.skipUnless(ROUTER, "HAKUBAN_ROUTER is not set")
    def test_over_a_router(self):
        with Exchange() as one, Exchange() as other, one.connect(ROUTER), other.connect(ROUTER):
            name = Object({"python": os.getpid()}, tags=["python"])
            with one.expose(Tag("python")) as expose, other.observe(name) as observe:
                sink, stream = expose.next(LONG), observe.next(LONG)
                for version in range(1, 4):
                    sink.send(State(b"x" * version * 100_000, version=(version,)))
                    while (seen := stream.next(LONG)).version != (version,):
                        pass
                    self.assertEqual(len(seen.data), version * 100_000)
                observe.close()
                sink.wait_ended(LONG)


class Async(unittest.IsolatedAsyncioTestCase):
    async def test_loops(self):
        async with Exchange() as exchange:
            name, seen = Object("o"), []

            async def produce():
                async with exchange.expose(name) as contract:
                    async for sink in contract:
                        for number in range(3):
                            sink.send_json(number)
                            await asyncio.sleep(0)
                        await sink.ended()
                        return

            async def look():
                async with exchange.observe(name) as contract:
                    async for stream in contract:
                        async for state in stream:
                            seen.append(state.json())
                            if state.json() == 2:
                                return

            await asyncio.wait_for(asyncio.gather(produce(), look()), LONG)
            self.assertEqual(seen[-1], 2)
            self.assertEqual(seen, sorted(seen))

    async def test_a_cancelled_wait_loses_nothing(self):
        world = World()
        for version in range(1, 20):
            waiting = asyncio.ensure_future(world.stream.next_async())
            await asyncio.sleep(0)
            world.sink.send(text("kept", version))
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            self.assertEqual((await asyncio.wait_for(world.stream.next_async(), LONG)).version, (version,))
        world.exchange.close()

    async def test_many_wait(self):
        async with Exchange() as exchange, exchange.expose(Tag("t"), capacity=1000) as expose:
            async def look(number):
                async with exchange.observe(Object(number, tags=["t"])) as contract:
                    return (await (await contract.next_async()).next_async()).json() == number

            sinks = []

            async def produce():
                while sink := await expose.next_async():
                    sink.send_json(sink.object.value)
                    sinks.append(sink)  # one that is closed comes again

            producing = asyncio.ensure_future(produce())
            self.assertTrue(all(await asyncio.wait_for(asyncio.gather(*map(look, range(100))), LONG)))
            producing.cancel()

    async def test_closing_ends_who_waits(self):
        world = World()
        waiting = asyncio.ensure_future(world.stream.next_async())
        await asyncio.sleep(0)
        world.observe.close()
        self.assertIsNone(await asyncio.wait_for(waiting, LONG))
        world.exchange.close()


if __name__ == "__main__":
    unittest.main()
