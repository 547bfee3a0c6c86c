// Malformed models: each is a small good one with one thing changed, and has an error of its own.
#include <map>
#include <string>

#include <rnnc/import.hpp>

#include "import/read_file.hpp"
#include "tests/errors/file_bytes.hpp"

namespace rnnc::test {
namespace {

const std::map<std::string, std::string> kGood = {
    {"guitarml",
     R"({"model_data":{"model":"SimpleRNN","input_size":1,"skip":1,"output_size":1,"unit_type":"RNN","num_layers":1,)"
     R"("hidden_size":2,"bias_fl":true},"state_dict":{"rec.weight_ih_l0":[[1],[2]],"rec.weight_hh_l0":[[1,2],[3,4]],)"
     R"("rec.bias_ih_l0":[1,2],"rec.bias_hh_l0":[3,4],"lin.weight":[[1,2]],"lin.bias":[0.5]}})"},
    {"rtneural",
     R"({"in_shape":[null,null,1],"layers":[{"type":"gru","activation":"tanh","shape":[null,null,1],"weights":)"
     R"([[[1,2,3]],[[4,5,6]],[[1,2,3],[4,5,6]]]},{"type":"dense","activation":"relu","shape":[null,null,1],"weights":)"
     R"([[[7]],[8]]}]})"},
    {"nam",
     R"({"version":"0.5.4","architecture":"LSTM","config":{"input_size":1,"hidden_size":1,"num_layers":1},"weights":)"
     R"([1,2,3,4,5,6,7,8,1,2,3,4,0.5,0.25,1,2]})"},
    {"convolution",
     R"({"in_shape":[null,1],"author":"A. Person","layers":[{"type":"conv1d","kernel_size":[3],"dilation":[4096],"groups":1,)"
     R"("shape":[null,2],"weights":[[[[1,2]],[[3,4]],[[5,6]]],[7,8]]},{"type":"batchnorm","epsilon":0.5,"shape":[null,2],)"
     R"("weights":[[1,1],[2,2],[3,3],[4,4]]},{"type":"lstm","shape":[null,1],"weights":[[[1,2,3,4],[5,6,7,8]],[[1,2,3,4]],)"
     R"([1,2,3,4]]}]})"},
    {"container",
     R"({"version":"0.7.0","architecture":"SlimmableContainer","metadata":{"gain":2},"config":{"submodels":[{"max_value":0.5,)"
     R"("model":{}},{"max_value":1,"model":{"architecture":"Sequential","weights":[],"config":{"models":[{"architecture":)"
     R"("LSTM","config":{"input_size":1,"hidden_size":1,"num_layers":1,"out_channels":2},"weights":[1,2,3,4,5,6,7,8,1,2,3,4,)"
     R"(0.5,0.25,1,2,3,4]},{"architecture":"LSTM","config":{"input_size":2,"hidden_size":1,"num_layers":1},"weights":)"
     R"([1,2,3,4,5,6,7,8,9,10,11,12,1,2,3,4,0.5,0.25,1,2]}]}}}]}})"},
    {"icu",
     R"({"model":"Thai_codepoints","dic":{"a":0},"mat1":{"dim":[2,1],"data":[1,2]},"mat2":{"dim":[1,4],"data":[1,2,3,4]},)"
     R"("mat3":{"dim":[1,4],"data":[1,2,3,4]},"mat4":{"dim":[4],"data":[1,2,3,4]},"mat5":{"dim":[1,4],"data":[1,2,3,4]},)"
     R"("mat6":{"dim":[1,4],"data":[1,2,3,4]},"mat7":{"dim":[4],"data":[1,2,3,4]},"mat8":{"dim":[2,3],"data":[1,2,3,4,5,6]},)"
     R"("mat9":{"dim":[3],"data":[1,2,3]}})"},
};

struct Change {
  const char *model, *from, *to, *error;  // a part of the error
};

const Change kChanges[] = {
    {"guitarml", "{\"model_data\"", "[{\"model_data\"", "this is no JSON"},
    {"guitarml", "\"model\":\"SimpleRNN\",", "", "model_data: key \"model\" is missing"},
    {"guitarml", "SimpleRNN", "RecNet", "models of type \"RecNet\""},
    {"guitarml", "\"SimpleRNN\"", "3", "model_data.model: must be a string, not number"},
    {"guitarml", "\"input_size\":1", "\"input_size\":-1", "from 1 to 2^24, not -1"},
    {"guitarml", "\"input_size\":1", "\"input_size\":1.5", "whole number"},
    {"guitarml", "\"input_size\":1", "\"input_size\":99999999999999999999", "whole number"},
    {"guitarml", "\"input_size\":1", "\"input_size\":18446744073709551615", "not 18446744073709551615"},
    {"guitarml", "\"input_size\":1", "\"input_size\":2", "takes 1 features but the layer below gives 2"},
    {"guitarml", "\"input_size\":1", "\"input_size\":null", "not null"},
    {"guitarml", "\"skip\":1", "\"skip\":2", "skip: is for a size of 2 but output_size says 1"},
    {"guitarml", "\"output_size\":1", "\"output_size\":2", "output_size says 2"},
    {"guitarml", "\"unit_type\":\"RNN\"", "\"unit_type\":\"QRNN\"", "units of type \"QRNN\""},
    {"guitarml", "\"unit_type\":\"RNN\"", "\"unit_type\":\"LSTM\"", "must be 8 for 2 units"},
    {"guitarml", "\"num_layers\":1", "\"num_layers\":2", "\"rec.weight_ih_l1\" is missing"},
    {"guitarml", "\"num_layers\":1", "\"num_layers\":0", "num_layers: must be a whole number"},
    {"guitarml", "\"hidden_size\":2", "\"hidden_size\":3", "hidden_size says 3"},
    {"guitarml", "\"bias_fl\":true", "\"bias_fl\":2", "bias_fl: must be true or false"},
    {"guitarml", "\"bias_fl\":true", "\"bias_fl\":false", "key \"lin.bias\" is not known"},
    {"guitarml", "\"bias_fl\":true", "\"bias_fl\":true,\"gain\":2", "key \"gain\" is not known"},
    {"guitarml", "\"bias_fl\":true", "\"bias_fl\":true,\"bias_fl\":true", "key \"bias_fl\" stands there twice"},
    {"guitarml", "[[1],[2]]", "[[1],[2],[3]]", "rows of the input weights is 3"},
    {"guitarml", "[[1],[2]]", "[[1],[2,3]]", "all rows must have as many"},
    {"guitarml", "[[1],[2]]", "[]", "an array of rows"},
    {"guitarml", "[[1],[2]]", "[[],[]]", "must have at least one number"},
    {"guitarml", "[[1],[2]]", "\"none\"", "rec.weight_ih_l0: must be an array"},
    {"guitarml", "[[1],[2]]", "[[1],[\"2\"]]", "rec.weight_ih_l0[1][0]: must be a finite number"},
    {"guitarml", "[[1],[2]]", "[[1],[1e39]]", "in the range of f32"},
    {"guitarml", "[[1],[2]]", "[[1],[1e999]]", "too large for double"},
    {"guitarml", "[[1],[2]]", "[[1],[NaN]]", "this is no JSON at byte"},
    {"guitarml", "\"rec.bias_hh_l0\":[3,4]", "\"rec.bias_hh_l0\":[3]", "rec.bias_hh_l0: is for a size of 1"},
    {"guitarml", "\"rec.bias_hh_l0\":[3,4],", "", "\"rec.bias_hh_l0\" is missing"},
    {"guitarml", "\"lin.bias\":[0.5]", "\"lin.bias\":[]", "lin.bias"},
    {"guitarml", "[[1,2]]", "[[1,2,3]]", "takes 3 features"},
    {"guitarml", "\"state_dict\":", "\"state\":", "key \"state\" is not known"},
    {"guitarml", "\"state_dict\":", "\"weights\":", "key \"weights\" is not known here, but may change the numbers"},
    {"guitarml", "\"model_data\":", "\"input_level\":1,\"model_data\":", "key \"input_level\" is not known here"},
    {"guitarml", "\"lin.bias\"", "\"lin.bia\xff\"", "this is no JSON"},
    {"rtneural", "\"layers\":", "\"layer\":", "no model that is known"},
    {"rtneural", "[null,null,1],\"layers\"", "[],\"layers\"", "in_shape: must have batch"},
    {"rtneural", "[null,null,1],\"layers\"", "[null,null,3],\"layers\"", "gives 3"},
    {"rtneural", "[null,null,1],\"layers\"", "[null,null,null],\"layers\"", "in_shape[2]"},
    {"rtneural", "\"gru\"", "\"conv1d\"", "no lstm and no gru"},
    {"rtneural", "\"dense\"", "\"conv2d\"", "layers of type \"conv2d\""},
    {"rtneural", "\"dense\"", "\"conv1d\"", "layers[1]: key \"kernel_size\" is missing"},
    {"rtneural", "\"dense\"", "\"conv1d\",\"kernel_size\":[1]", "layers[1].weights[0][0][0]: must be an array"},
    {"convolution", "\"epsilon\":0.5,", "", "layers[1]: key \"epsilon\" is missing"},
    {"rtneural", "\"dense\"", "\"batchnorm\",\"epsilon\":-9", "layers[1].weights[0]"},
    {"rtneural", "\"dense\"", "\"dense\",\"dilation\":[1]", "key \"dilation\" is not known"},
    {"rtneural", "\"in_shape\"", "\"in_skip\":2,\"in_shape\"", "in_skip: must be true or false"},
    {"rtneural", "\"in_shape\"", "\"in_gain\":\"6\",\"in_shape\"", "in_gain: must be a finite number"},
    {"rtneural", "\"in_shape\"", "\"out_skip\":1,\"in_shape\"", "key \"out_skip\" is not known here"},
    {"rtneural", "\"in_shape\"", "\"input_batch\":[1],\"in_shape\"", "\"output_batch\" is missing"},
    {"rtneural", "\"in_shape\"", "\"input_batch\":[1],\"output_batch\":[1,2],\"in_shape\"",
     "has 2 numbers but input_batch"},
    {"convolution", "[3]", "[2]", "kernel_size: is 2 but the weights have 3 steps"},
    {"convolution", "[3]", "[3,3]", "kernel_size: has 2 sizes"},
    {"convolution", "[4096]", "[65536]", "looks back 131072 steps of 1 features"},
    {"convolution", "[4096]", "[0]", "dilation[0]: must be a whole number"},
    {"convolution", "\"groups\":1", "\"groups\":2", "groups: convolutions in groups can be imported only"},
    {"convolution", "[[1,2]],[[3,4]],[[5,6]]", "[[1,2]],[[3,4]],[[5]]", "has another size than the first step"},
    {"convolution", "[[1,2]],[[3,4]],[[5,6]]", "[[1,2],[1,2]],[[3,4],[3,4]],[[5,6],[5,6]]", "takes 2 features but"},
    {"convolution", "[7,8]", "[7,8,9]", "has 2 outputs but a bias of 3"},
    {"convolution", "[1,1],[2,2],[3,3],[4,4]", "[1,1],[2,2],[3,3]",
     "has 3 arrays; a layer of type batchnorm has 2 or 4"},
    {"convolution", "[1,1],[2,2],[3,3],[4,4]", "[1,1],[2,2],[3,3],[4]", "has arrays of different lengths"},
    {"convolution", "[1,1],[2,2],[3,3],[4,4]", "[1,1],[2,2],[3,3],[4,-4]", "of which no root can be taken"},
    {"convolution", "[1,1],[2,2],[3,3],[4,4]", "[1],[2],[3],[4]", "is for 1 features but the layer below gives 2"},
    {"rtneural", "\"tanh\"", "\"relu\"", "activation \"relu\" of a recurrent layer"},
    {"rtneural", "\"relu\"", "\"swish\"", "activation \"swish\" is not known"},
    {"rtneural", "\"activation\":\"relu\"", "\"activation\":\"relu\",\"units\":1", "key \"units\" is not known"},
    {"rtneural", "[[[7]],[8]]", "[[[7]],[8],[9]]", "has 3 arrays"},
    {"rtneural", "[[[7]],[8]]", "[[[7]],[8,9]]", "a bias of 2"},
    {"rtneural", "[[[7]],[8]]", "[[[7],[8]],[8]]", "takes 2 features"},
    {"rtneural", "[[1,2,3],[4,5,6]]]", "[[1,2,3]]]", "must have two rows"},
    {"rtneural", "[[4,5,6]]", "[[4,5]]", "must be"},
    {"rtneural", "\"shape\":[null,null,1],\"weights\":[[[7", "\"shape\":[null,null,2],\"weights\":[[[7", "ends in 2"},
    {"nam", "\"LSTM\"", "\"WaveNet\"",
     "architecture \"WaveNet\" cannot be imported: it is a model of convolutions over time"},
    {"nam", "\"LSTM\"", "\"Parametric\"", "architecture \"Parametric\" cannot be imported; known are LSTM"},
    {"nam", "\"num_layers\":1", "\"num_layers\":1,\"in_channels\":2", "in_channels: is not the input_size of 1"},
    {"nam", "\"num_layers\":1", "\"num_layers\":1,\"out_channels\":2",
     "has 16 numbers but the sizes of config need more: at least 18"},
    {"nam", "\"num_layers\":1", "\"num_layers\":1,\"dropout\":2", "key \"dropout\" is not known here"},
    {"nam", "\"version\":\"0.5.4\",", "\"head_scale\":2,", "key \"head_scale\" is not known here"},
    {"container", "\"weights\":[],", "\"weights\":[1],", "weights: has numbers beside those of the models"},
    {"container", "\"max_value\":1", "\"max_value\":0.25", "must be above that of the submodel before"},
    {"container", "\"max_value\":1", "\"max_value\":0.75", "must be at least 1 in the last submodel"},
    {"container", "\"architecture\":\"LSTM\"", "\"architecture\":\"ConvNet\"",
     "config.submodels[1].model.config.models[0].architecture: architecture \"ConvNet\""},
    {"container", "\"models\":[", "\"models\":[],\"extra\":[", "key \"extra\" is not known here"},
    {"container", "\"models\":[", "\"weights_version\":1,\"models\":[", "weights_version: must be 2"},
    {"container", "\"input_size\":2", "\"input_size\":1",
     "models[1].weights: has 20 numbers but the sizes of config need 16"},
    {"icu", "\"dim\":[2,1]", "\"dim\":[2,2]", "mat1.data: has 2 numbers but dim needs 4"},
    {"icu", "\"dim\":[2,1]", "\"dim\":[2]", "mat1.dim: has 1 dims but must have 2"},
    {"icu", "\"dim\":[2,1]", "\"dim\":[16777216,16777216]", "but dim needs 281474976710656"},
    {"icu", "\"dim\":[2,3]", "\"dim\":[3,2]", "mat8: is 3 x 2 but must be 2 x 2"},
    {"icu", "\"mat5\"", "\"mat10\"", "key \"mat5\" is missing"},
    {"icu", "\"dim\":[2,1]", "\"v\":2,\"dim\":[2,1]", "mat1.v: is a layout that is not known"},
    {"icu", "\"dic\"", "\"dictionary\"", "key \"dic\" is missing"},
    {"icu", "codepoints", "genvec_1", "embeds a token as the mean of the vectors"},
    {"icu", "\"dic\":", "\"scale\":2,\"dic\":", "key \"scale\" is not known here"},
    {"nam", "0.5.4", "9.1", "version \"9.1\""},
    {"nam", "\"hidden_size\":1", "\"hidden_size\":2", "has 16 numbers"},
    {"nam", "\"hidden_size\":1", "\"hidden_size\":16777216", "has 16 numbers"},
    {"nam", "\"num_layers\":1", "\"num_layers\":16777216", "need more"},
    {"nam", "0.25,1,2]", "0.25,1]", "has 15 numbers"},
    {"nam", "0.25,1,2]", "0.25,1,2,3]", "has 17 numbers"},
    {"nam", "0.25,1,2]", "0.25,1,[2]]", "weights[15]"},
    {"nam", "0.25,1,2]}", "0.25,1,2]", "this is no JSON"},
    {"nam", "0.25,1,2]}", "0.25,1,2]}}", "this is no JSON"},
};

std::string changed(const Change& change) {
  std::string text = kGood.at(change.model);
  const std::size_t at = text.find(change.from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, std::string(change.from).size(), change.to);
}

}  // namespace

TEST_CASE("the models of which the malformed ones are made are good", "[errors][import]") {
  for (const auto& [name, text] : kGood) {
    INFO(name);
    CHECK(import_model(bytes_of(text)).ok());
  }
}

TEST_CASE("each malformed model of RTNeural, GuitarML and NAM has its own error", "[errors][import]") {
  CHECK(std::size(kChanges) >= 60);
  for (const Change& change : kChanges) {
    INFO(change.model << ": " << change.from << " becomes " << change.to);
    const auto result = import_model(bytes_of(changed(change)), "m.json");
    REQUIRE_FALSE(result.ok());
    INFO(result.error().to_string());
    CHECK(result.error().to_string().find(change.error) != std::string::npos);
    CHECK(result.error().to_string().starts_with("m.json: "));
  }
}

TEST_CASE("JSON that nests too deep is refused, not followed", "[errors][import]") {
  const std::string deep = "{\"layers\":" + std::string(1000000, '[');
  CHECK(import_model(bytes_of(deep)).error().code == ErrorCode::Limit);
}

TEST_CASE("a model that is cut anywhere is an error, and one changed anywhere is read or refused", "[errors][import]") {
  for (const auto& [name, text] : kGood) {
    INFO(name);
    for (std::size_t size = 1; size < text.size(); ++size) {
      const std::string cut = text.substr(0, size);
      CHECK_FALSE(import_model(bytes_of(cut)).ok());
    }
  }
  const auto content = files::read_file(RNNC_SOURCE_DIR "/tests/conformance/onnx/lstm_opset1.onnx", 1 << 20).value();
  for (std::size_t size = 1; size < content.size(); ++size) {
    const std::vector<std::byte> cut(content.begin(), content.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(import_model(cut).ok());
    std::vector<std::byte> changed = content;
    for (const int bit : {1, 2, 4, 8, 16, 32, 64, 128}) {
      changed[size] = content[size] ^ static_cast<std::byte>(bit);
      static_cast<void>(import_model(changed));
    }
  }
}

}  // namespace rnnc::test
