require_relative "hakuban/abi"
require_relative "hakuban/names"
require_relative "hakuban/state"
require_relative "hakuban/exchange"

# Live data objects shared between processes.
#
# An object is named by a JSON value and tags. Who can produce it opens an expose contract on an Exchange, who wants to see it an
# observe contract; for each object that somebody observes, one exposer is elected and given a Sink, and every observer has a Stream.
module Hakuban
  LEVELS = { error: 1, warn: 2, info: 3, debug: 4, trace: 5 }.freeze
  private_constant :LEVELS

  @mutex = Mutex.new

  class << self
    # What owns the links of this process.
    def runtime = @mutex.synchronize { @runtime ||= ABI.not_null(ABI.tokio_init_multi_thread(0)) }

    # Yields what the library logs, from the level on, as a symbol and a text, on a thread of its own. Without a block: no more.
    def log(level = :warn, &block)
      callback = block && proc { |_user, number, message| block.call(LEVELS.key(number), message.dup.force_encoding(Encoding::UTF_8)) }
      ABI.check(ABI.log_to(block ? LEVELS.fetch(level) : 0, callback, nil))
      @log = callback # the library calls it: it must last
    end
  end
end

at_exit { Hakuban.log if Hakuban.instance_variable_get(:@log) }
