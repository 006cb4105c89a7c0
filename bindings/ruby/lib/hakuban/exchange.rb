require "io/wait"

module Hakuban
  # What has a handle in the library, and ends with +close+, or when nobody refers to it any more.
  class Handle
    def initialize(pointer, &drop)
      @handle = FFI::AutoPointer.new(pointer, drop)
      @mutex = Mutex.new
      @closed = false
    end

    # Ends it. Closing again does nothing.
    def close
      @mutex.synchronize do
        return if @closed
        @closed = true
      end
      @handle.free
    end

    def closed? = @closed

    # Yields what was made, and closes it; without a block, returns it.
    def self.closing(made)
      return made unless block_given?
      begin
        yield made
      ensure
        made.close
      end
    end

    private

    # Waits for a future; nil when there will be no more, true when it has nothing to give. Other threads, and fibers of a scheduler, run meanwhile.
    def await(future, timeout)
      ABI.not_null(future)
      deadline = timeout && Process.clock_gettime(Process::CLOCK_MONOTONIC) + timeout
      done = false
      loop do
        result = ABI.future_await_timeout(future, 0)
        if result[:status] != ABI::PENDING
          done = true
          return { ABI::END_OF_STREAM => nil, ABI::OK => true }.fetch(result[:status]) { ABI.pointer_of(result) }
        end
        left = deadline && deadline - Process.clock_gettime(Process::CLOCK_MONOTONIC)
        raise TimeoutError.new("nothing came in time") if left && left <= 0
        descriptor = ABI.future_descriptor(future)
        raise FailedError.new(ABI.last_error) if descriptor.negative?
        IO.for_fd(descriptor, autoclose: false).wait_readable(left)
      end
    ensure
      ABI.future_drop(future) unless done # what it had got comes again
    end
  end

  # What gives one thing after another: each is a method +next+ with a timeout, +each+ with a block, and all of Enumerable.
  module Giver
    include Enumerable

    # Waits for the next; nil when there will be no more. Raises TimeoutError.
    def next(timeout: nil)
      return nil if closed?
      handle = await(ABI.send(:"#{@kind}_next", @handle), timeout)
      handle && make(handle)
    end

    def each
      return enum_for(:each) unless block_given?
      while (given = self.next)
        handing_over(given) { yield given }
      end
      self
    end
  end

  # Shows one object to one observer: the newest state, whenever it, or how current it is, changes. Ends when the object is gone.
  class Stream < Handle
    include Giver

    # The object that is seen.
    attr_reader :object

    def initialize(handle, contract)
      super(handle) { |pointer| ABI.object_state_stream_drop(pointer) }
      @kind, @contract = :object_state_stream, contract # which lasts as long
      @object = ObjectName.from_handle(ABI.not_null(ABI.object_state_stream_descriptor(@handle)))
    end

    private

    def make(handle) = State.from_handle(handle)
    def handing_over(_state) = yield
  end

  # Takes the states of one object from its elected exposer.
  class Sink < Handle
    # The object that is to be produced.
    attr_reader :object

    def initialize(handle, contract)
      super(handle) { |pointer| ABI.object_state_sink_drop(pointer) }
      @contract = contract
      @object = ObjectName.from_handle(ABI.not_null(ABI.object_state_sink_descriptor(@handle)))
    end

    # Makes a state the newest one of the object. Does not block. Raises RevokedError and StaleError.
    def send_state(state)
      state.with_handle { |handle| ABI.check(ABI.object_state_sink_send(@handle, handle)) }
      self
    end
    alias << send_state

    # Sends a value as JSON, with a version from the clock.
    def send_json(value) = send_state(State.from_json(value))

    # Waits until the sink has ended: another exposer was elected, or nobody observes the object. Raises TimeoutError.
    def wait_ended(timeout: nil)
      while !closed? && (params = await(ABI.object_state_sink_next(@handle), timeout))
        ABI.object_state_sink_params_drop(params)
      end
    end
  end

  # A wish to see, or an offer to produce, an object or every object with a tag. Gives streams, or sinks; +each+ closes each of them
  # when its block returns.
  class Contract < Handle
    include Giver

    def initialize(handle, exchange, kind, given)
      super(handle) { |pointer| ABI.send(:"#{kind}_drop", pointer) }
      @exchange, @kind, @given = exchange, kind, given
    end

    private

    def make(handle) = @given.new(handle, self)

    def handing_over(given)
      yield
    ensure
      given.close
    end
  end

  class ObserveContract < Contract; end

  class ExposeContract < Contract
    # Changes how many objects the contract can produce at a time, for the elections to come.
    def capacity=(capacity)
      ABI.check(ABI.send(:"#{@kind}_set_capacity", @handle, capacity))
    end
  end

  # A connector or a listener, which lasts until it or its exchange is closed, whether anything refers to it or not.
  class Link < Handle
    def initialize(handle, exchange, &drop)
      super(handle, &drop)
      @exchange = exchange
      exchange.keep(self)
    end

    def close
      super
      @exchange.forget(self)
    end
  end

  # Keeps an exchange linked to its upstream until it, or the exchange, is closed. Closing waits until the link is gone. +each+ yields
  # whenever a link is made or lost.
  class Connector < Link
    include Enumerable

    def initialize(handle, exchange)
      super(handle, exchange) { |pointer| ABI.tokio_websocket_connector_drop(pointer) }
      @told = 0 # the number of the link that +next+ told of; 0: none
    end

    # Whether there is a link at the moment.
    def connected? = link != 0

    # Waits until a link was made or lost since the last time, at first until one is made. Returns whether there is one now; nil when
    # there will be no more. Raises TimeoutError. For one thread at a time.
    def next(timeout: nil)
      return nil if closed?
      return nil unless await(ABI.websocket_connector_changed(@handle, @told), timeout)
      (@told = link) != 0
    end

    def each
      return enum_for(:each) unless block_given?
      until (connected = self.next).nil?
        yield connected
      end
      self
    end

    # The name the upstream has given itself; empty while there is no link.
    def upstream_name
      name = ABI.websocket_connector_upstream_name(@handle)
      return "" if name[:length].zero?
      name[:pointer].read_bytes(name[:length]).force_encoding(Encoding::UTF_8)
    ensure
      ABI.array_drop(name) if name
    end

    private

    def link
      state = ABI::LinkState.new
      ABI.check(ABI.websocket_connector_state(@handle, state))
      state[:link]
    end
  end

  # Takes links from downstream exchanges until it, or its exchange, is closed. Closing waits until they are gone.
  class Listener < Link
    # The URL with the real port.
    attr_reader :url

    def initialize(handle, exchange)
      super(handle, exchange) { |pointer| ABI.websocket_listener_drop(pointer) }
      @url = ABI.websocket_listener_url(handle)
    end
  end

  # Shares objects between the contracts of this process and, over links, with other processes. Closing it ends them. Every method can
  # be called from any thread.
  class Exchange < Handle
    # Yields an exchange and closes it; without a block, returns it.
    def self.open(&block) = Handle.closing(new, &block)

    def initialize
      super(ABI.pointer_of(ABI.exchange_new)) do |pointer|
        ABI.exchange_close(pointer)
        ABI.exchange_drop(pointer)
      end
      @links = {}.compare_by_identity
      @links_mutex = Mutex.new
    end

    # Has a link last as long as the exchange; for the links themselves.
    def keep(link) = @links_mutex.synchronize { @links[link] = true }

    # Takes +keep+ back.
    def forget(link) = @links_mutex.synchronize { @links.delete(link) }

    # Begins to link the exchange to an upstream such as ws://127.0.0.1:3001. It tries until closed; with a block, at its end.
    def connect(url, &block)
      Handle.closing(Connector.new(ABI.pointer_of(
        ABI.tokio_websocket_connector_new(Hakuban.runtime, @handle, ABI.text(url, InvalidURLError))
      ), self), &block)
    end

    # Takes links from downstream at a URL such as ws://127.0.0.1:3001; port 0 stands for any free one.
    def listen(url, &block)
      Handle.closing(Listener.new(ABI.pointer_of(
        ABI.websocket_listener_new(Hakuban.runtime, @handle, ABI.text(url, InvalidURLError))
      ), self), &block)
    end

    # Opens a contract to observe an ObjectName, or every object with a Tag. With a block, yields each Stream.
    def observe(name, &block) = each_of(contract(name, "observe", ObserveContract, Stream), &block)

    # Opens a contract to produce an ObjectName, or every object with a Tag. With a block, yields each Sink.
    def expose(name, capacity: 1, &block) = each_of(contract(name, "expose", ExposeContract, Sink, capacity), &block)

    private

    def contract(name, verb, type, given, *capacity)
      kind = :"#{name.is_a?(Tag) ? "tag" : "object"}_#{verb}_contract"
      handle = name.with_handle { |named| ABI.not_null(ABI.send(:"#{kind}_new", @handle, named, *capacity)) }
      type.new(handle, self, kind, given)
    end

    def each_of(contract, &block)
      return contract unless block
      Handle.closing(contract) { contract.each(&block) }
    end
  end
end
