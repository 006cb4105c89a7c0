Gem::Specification.new do |gem|
  gem.name = "hakuban"
  gem.version = "0.1.0"
  gem.summary = "Live data objects shared between processes, over a tree of websocket links"
  gem.authors = ["Hakuban in Go"]
  gem.license = "MIT"
  gem.required_ruby_version = ">= 3.1"
  gem.files = Dir["lib/**/*.rb"] + Dir["lib/hakuban/libhakuban.so"] + ["README.md"]
  gem.add_dependency "ffi", ">= 1.15"
end
