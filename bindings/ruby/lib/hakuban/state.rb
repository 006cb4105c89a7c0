module Hakuban
  # One value of an object: bytes, the names of the formats they are encoded in (innermost first), and a version, which is compared
  # number by number. An empty version stands for one from the clock, given when the state is sent. +synchronized_ago+ is how many
  # seconds ago the data was known to be current; 0 means that it is now.
  class State
    attr_reader :data, :format, :version, :synchronized_ago

    def initialize(data, format: [], version: [], synchronized_ago: 0)
      @data, @format, @version, @synchronized_ago = data.b.freeze, format.map(&:dup).freeze, version.dup.freeze, synchronized_ago
    end

    # A state with a value as JSON, under the format name "JSON" that all exchanges know.
    def self.from_json(value, **more) = new(JSON.generate(value), format: ["JSON"], **more)

    # The value of a state whose format is "JSON".
    def json
      raise Error.new("the state's format is #{format}, [\"JSON\"] was expected") unless format == ["JSON"]
      JSON.parse(data.dup.force_encoding(Encoding::UTF_8))
    end

    # Whether the elected exposer says now that this state is current.
    def synchronized? = synchronized_ago.zero?

    def ==(other) = other.is_a?(State) && [data, format, version] == [other.data, other.format, other.version]

    # Yields a handle.
    def with_handle
      names = format.map { |name| FFI::MemoryPointer.from_string(ABI.text(name, InvalidTextError)) }
      ago = synchronized_ago.zero? ? 0 : (synchronized_ago * 1_000_000).to_i.clamp(1, 2**64 - 1)
      handle = ABI.pointer_of(ABI.object_state_new(
        version.size, FFI::MemoryPointer.new(:int64, version.size + 1).write_array_of_int64(version),
        names.size, FFI::MemoryPointer.new(:pointer, names.size + 1).write_array_of_pointer(names),
        data.bytesize, FFI::MemoryPointer.new(:uint8, data.bytesize + 1).put_bytes(0, data), ago
      ))
      ABI.dropping([handle], :object_state_drop) { yield handle }
    end

    # Takes a handle, and drops it.
    def self.from_handle(handle)
      ABI.dropping([handle], :object_state_drop) do
        data, format, version = ABI.object_state_data(handle), ABI.object_state_format(handle), ABI.object_state_version(handle)
        names = format[:pointer].read_array_of_pointer(format[:length]).map { |name| name.read_string.force_encoding(Encoding::UTF_8) }
        new(data[:pointer].read_bytes(data[:length]), format: names, version: version[:pointer].read_array_of_int64(version[:length]),
            synchronized_ago: ABI.object_state_synchronized_ago(handle) / 1e6)
      end
    end
  end
end
