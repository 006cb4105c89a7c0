# The scenarios of tests/cabi, as Ruby tells them. HAKUBAN_ROUTER is the URL of a router.
require "minitest/autorun"
require "timeout"
require "hakuban"

LONG = 30 # seconds that anything that must happen may take

def text(data, version, **more) = Hakuban::State.new(data, format: ["text"], version: [version], **more)

# An exchange with one object, exposed and observed.
class World
  attr_accessor :exchange, :observe, :expose, :stream, :sink

  def initialize
    @exchange = Hakuban::Exchange.new
    object = Hakuban::ObjectName.new("o", tags: ["t"])
    @observe, @expose = @exchange.observe(object), @exchange.expose(object)
    @stream, @sink = @observe.next(timeout: LONG), @expose.next(timeout: LONG)
  end
end

class TestNames < Minitest::Test
  include Hakuban

  def test_tag_json
    { "a" => '"a"', nil => "null", [1, 2.5, -3, 1.0] => "[1,2.5,-3,1.0]", { "b" => 1, "a" => {} } => '{"a":{},"b":1}',
      2**64 - 1 => "18446744073709551615", "é\n😀" => "\"é\\n😀\"" }.each do |value, spelled|
      assert_equal spelled, Tag.new(value).text
      value.nil? ? assert_nil(Tag.new(value).value) : assert_equal(value, Tag.new(value).value)
    end
  end

  def test_object_json_and_tags
    named = ObjectName.new({ "z" => 1, "y" => [nil] }, tags: ["a", { "k" => 2 }, Tag.new("a")])
    assert_equal '{"y":[null],"z":1}', named.text
    assert_equal [Tag.new("a"), Tag.new({ "k" => 2 })], named.tags
    assert_equal named, ObjectName.new({ "y" => [nil], "z" => 1 }, tags: [{ "k" => 2 }, "a"])
    refute_equal named, ObjectName.new({ "y" => [nil], "z" => 1 })
    refute_equal Tag.new(1), Tag.new(1.0)
    assert_equal 1, { named => 1, ObjectName.new(named.value, tags: named.tags) => 2 }.size
  end

  def test_invalid_names
    [Float::NAN, Float::INFINITY, "\xff"].each do |value|
      assert_raises(InvalidNameError) { Tag.new(value) }
      assert_raises(InvalidNameError) { ObjectName.new(1, tags: [value]) }
    end
  end

  def test_invalid_urls
    Exchange.open do |exchange|
      ["", "127.0.0.1:1", "http://127.0.0.1:1", "ws://127.0.0.1:1#what=1", "ws://127.0.0.1:99999", "\0", "\xff"].each do |url|
        assert_raises(InvalidURLError, url.inspect) { exchange.connect(url) }
      end
      exchange.connect("ws://127.0.0.1:1") { assert_raises(HasUpstreamError) { exchange.connect("ws://127.0.0.1:1") } }
      assert_raises(FailedError) { exchange.listen("ws://192.0.2.1:1") }
    end
  end
end

class TestStates < Minitest::Test
  include Hakuban

  def setup = @world = World.new
  def teardown = @world.exchange.close
  def seen = @world.stream.next(timeout: LONG)

  def test_state_fields
    sent = State.new("\0\1\xff".b, format: %w[JSON gzip été], version: [0, -5, 2**63 - 1])
    @world.sink << sent
    state = seen
    assert_equal sent, state
    assert state.synchronized?
  end

  def test_empty_state
    @world.sink << State.new("")
    state = seen
    assert_equal ["", []], [state.data, state.format]
    refute_empty state.version
  end

  def test_invalid_state
    assert_raises(InvalidTextError) { @world.sink << State.new("", format: ["a\0b"]) }
    assert_raises(Error) { State.new("[]").json }
  end

  def test_json
    @world.sink.send_json({ "temperature" => 21.5, "é" => nil })
    assert_equal({ "temperature" => 21.5, "é" => nil }, seen.json)
  end

  def test_newest_only
    %w[one two three].each.with_index(1) { |data, version| @world.sink << text(data, version) }
    assert_equal "three", seen.data
    assert_raises(TimeoutError) { @world.stream.next(timeout: 0) }
  end

  def test_older_version_is_not_taken
    @world.sink << text("five", 5)
    assert_raises(StaleError) { @world.sink << text("four", 4) }
    assert_raises(StaleError) { @world.sink << text("other", 5) }
    assert_equal "five", seen.data
  end

  def test_flag_alone_is_news
    @world.sink << text("same", 1)
    assert seen.synchronized?
    @world.sink << text("same", 1, synchronized_ago: 5)
    refute seen.synchronized?
  end

  def test_large_state
    data = Random.bytes(5_000_000)
    @world.sink << State.new(data)
    assert_equal data, seen.data
  end
end

class TestContracts < Minitest::Test
  include Hakuban

  def test_tag_exposes
    Exchange.open do |exchange|
      expose = exchange.expose(Tag.new("t"), capacity: 100)
      expose.capacity = 7
      3.times do |number|
        observe = exchange.observe(ObjectName.new(number, tags: ["t"]))
        sink, stream = expose.next(timeout: LONG), observe.next(timeout: LONG)
        assert_equal sink.object, stream.object
        sink.send_json(number)
        assert_equal number, stream.next(timeout: LONG).json
        observe.close
        sink.close
      end
    end
  end

  def test_blocks_and_enumerators
    Exchange.open do |exchange|
      object = ObjectName.new("o", tags: ["t"])
      producer = Thread.new do
        exchange.expose(object) do |sink|
          3.times { |number| sink.send_json(number) }
          sink.wait_ended(timeout: LONG)
          break
        end
      end
      exchange.observe(Tag.new("t")) do |stream|
        assert_equal 2, stream.lazy.map(&:json).find { |value| value == 2 }
        stream.close
        break
      end
      producer.join(LONG)
    end
  end

  def test_dropped_ones_come_again
    world = World.new
    (1..3).each do |version|
      world.sink << text("again", version)
      assert_equal [version], world.stream.next(timeout: LONG).version
      [world.stream, world.sink].each(&:close)
      world.stream, world.sink = world.observe.next(timeout: LONG), world.expose.next(timeout: LONG)
    end
    world.exchange.close
  end

  def test_closing_ends_who_waits
    world = World.new
    idle = world.exchange.expose(ObjectName.new("idle"))
    { world.observe => -> { world.stream.next }, world.expose => -> { world.sink.wait_ended }, world.exchange => -> { idle.next } }
      .each do |closed, wait|
      thread = Thread.new(&wait)
      closed.close
      assert_nil Timeout.timeout(LONG) { thread.value }
    end
    assert_equal [nil, nil, nil], [world.observe, world.stream, world.expose].map(&:next)
    assert_raises(ClosedError) { idle.capacity = 3 }
    assert_raises(Error) { world.exchange.observe(ObjectName.new(1)) }
  end

  def test_revoked
    world = World.new
    world.stream.close
    world.observe.close
    world.sink.wait_ended(timeout: LONG)
    assert_raises(RevokedError) { world.sink << text("nobody looks", 1) }
    world.exchange.close
  end

  def test_threads
    Exchange.open do |exchange|
      expose = exchange.expose(Tag.new("t"), capacity: 32)
      threads = Array.new(32) do |number|
        Thread.new do
          contract = exchange.observe(ObjectName.new(number, tags: ["t"]))
          contract.next(timeout: LONG).next(timeout: LONG).json == number
        end
      end
      sinks = threads.map { expose.next(timeout: LONG).tap { |sink| sink.send_json(sink.object.value) } }
      assert_equal 32, threads.count(&:value)
      assert_equal 32, sinks.map(&:object).uniq.size
    end
  end

  def test_fork_is_refused
    exchange = Exchange.new
    child = fork do
      exchange.observe(ObjectName.new(1))
      exit!(1)
    rescue ForkedError
      exit!(0)
    end
    Process.wait(child)
    assert_predicate $?, :success?
    exchange.close
  end

  def test_log
    lines = Queue.new
    Hakuban.log(:info) { |level, message| lines << [level, message] }
    Exchange.open { |exchange| exchange.listen("ws://127.0.0.1:0").close }
    level, message = Timeout.timeout(LONG) { lines.pop }
    assert_equal :info, level
    assert_includes message, "listening"
  ensure
    Hakuban.log
  end
end

class TestLinks < Minitest::Test
  include Hakuban

  def test_over_a_listener
    top, bottom = Exchange.new, Exchange.new
    top.listen("ws://127.0.0.1:0#name=top") do |listener|
      bottom.connect(listener.url) do |connector|
        observe, expose = top.observe(ObjectName.new(1)), bottom.expose(ObjectName.new(1))
        expose.next(timeout: LONG).send_json("from below")
        assert_equal "from below", observe.next(timeout: LONG).next(timeout: LONG).json
        assert connector.connected?
        assert_includes ["top", ""], connector.upstream_name
      end
    end
    [top, bottom].each(&:close)
  end

  def test_links_last_as_long_as_the_exchange
    top, bottom = Exchange.new, Exchange.new
    -> { bottom.connect(top.listen("ws://127.0.0.1:0").url) }.call # which nothing refers to
    3.times { GC.start }
    observe, expose = top.observe(ObjectName.new(1)), bottom.expose(ObjectName.new(1))
    refute_nil expose.next(timeout: LONG)
    refute_nil observe.next(timeout: LONG)
  ensure
    [top, bottom].each(&:close)
  end

  def test_links_made_and_lost
    top, bottom = Exchange.new, Exchange.new
    listener = top.listen("ws://127.0.0.1:0")
    connector = bottom.connect(listener.url)
    assert_equal true, connector.next(timeout: LONG)
    assert_raises(Hakuban::TimeoutError) { connector.next(timeout: 0) }
    listener.close
    assert_equal false, connector.next(timeout: LONG)
    top.listen(listener.url) { assert_equal true, connector.first }
    assert_equal false, connector.next(timeout: LONG)
    connector.close
    assert_nil connector.next(timeout: LONG)
  ensure
    [top, bottom].each(&:close)
  end

  def test_over_a_router
    router = ENV["HAKUBAN_ROUTER"] or skip "HAKUBAN_ROUTER is not set"
    one, other = Exchange.new, Exchange.new
    connectors = [one, other].map { |exchange| exchange.connect(router) }
    observe = other.observe(ObjectName.new({ "ruby" => Process.pid }, tags: ["ruby"]))
    expose = one.expose(Tag.new("ruby"))
    sink, stream = expose.next(timeout: LONG), observe.next(timeout: LONG)
    (1..3).each do |version|
      sink << State.new("x" * version * 100_000, version: [version])
      state = Timeout.timeout(LONG) { stream.find { |seen| seen.version == [version] } }
      assert_equal version * 100_000, state.data.bytesize
    end
    observe.close
    sink.wait_ended(timeout: LONG)
    connectors.each(&:close)
    [one, other].each(&:close)
  end
end
