require "json"

module Hakuban
  # What Tag and ObjectName have in common: they are equal when every exchange holds them equal, and can be keys of a hash.
  module Name
    # The value's JSON text in its one spelling.
    attr_reader :text

    def value = JSON.parse(text)

    def ==(other) = other.class == self.class && other.identity == identity
    alias eql? ==

    def hash = identity.hash

    def inspect = "#<#{self.class} #{identity.join(" ")}>"

    private

    def json_text(value)
      ABI.text(JSON.generate(value), InvalidNameError)
    rescue JSON::GeneratorError, EncodingError => reason
      raise InvalidNameError.new(reason.message)
    end
  end

  # Names a tag by a JSON value.
  class Tag
    include Name

    def initialize(value)
      ABI.dropping([ABI.pointer_of(ABI.tag_descriptor_new(json_text(value)))], :tag_descriptor_drop) do |handle,|
        @text = ABI.tag_descriptor_json(handle).force_encoding(Encoding::UTF_8).freeze
      end
    end

    def self.from_text(text) = allocate.tap { |tag| tag.instance_variable_set(:@text, text.force_encoding(Encoding::UTF_8).freeze) }

    def identity = [text]

    # Yields a handle.
    def with_handle = ABI.dropping([ABI.pointer_of(ABI.tag_descriptor_new(text))], :tag_descriptor_drop) { |(handle)| yield handle }
  end

  # Names an object by a JSON value and tags, each a Tag or a JSON value. Tags have no order.
  class ObjectName
    include Name

    attr_reader :tags

    def initialize(value, tags: [])
      tags = tags.map { |tag| tag.is_a?(Tag) ? tag : Tag.new(tag) }
      make(json_text(value), tags) { |handle| read(handle) }
    end

    # Takes a handle, and drops it.
    def self.from_handle(handle)
      ABI.dropping([handle], :object_descriptor_drop) { allocate.tap { |name| name.send(:read, handle) } }
    end

    def identity = [text, *tags.map(&:text)]

    # Yields a handle.
    def with_handle(&block) = make(text, tags, &block)

    private

    def make(text, tags)
      handles = []
      ABI.dropping(handles, :tag_descriptor_drop) do
        tags.each { |tag| handles << ABI.pointer_of(ABI.tag_descriptor_new(tag.text)) }
        array = FFI::MemoryPointer.new(:pointer, handles.size + 1).write_array_of_pointer(handles)
        object = ABI.pointer_of(ABI.object_descriptor_new(text, handles.size, array))
        ABI.dropping([object], :object_descriptor_drop) { yield object }
      end
    end

    def read(handle)
      @text = ABI.object_descriptor_json(handle).force_encoding(Encoding::UTF_8).freeze
      tags = ABI.object_descriptor_tags(handle)
      texts = tags[:pointer].read_array_of_pointer(tags[:length]).map { |tag| ABI.tag_descriptor_json(tag) }
      @tags = texts.map { |text| Tag.from_text(text) }.sort_by(&:text).freeze
    end
  end
end
