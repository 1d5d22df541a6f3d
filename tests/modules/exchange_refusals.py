"""The exchange cases in which rsl_rl raises an error, with the torch version ``exchange.LISTED_WITH``.

Each dictionary maps the beginning of names to their ends. These cases are not compared. They are listed one by one, so
that a case which raises an error because of a mistake in the case itself is detected.
"""

ARGUMENTS = {
    "mlp input_dim=": "float np.float32 tensor-float",
    "mlp input_dim(1)=": "np.bool",
    "mlp output_dim=": "float np.int64 np.int32 np.uint8 np.float32 tensor tensor-int32 array tensor-float tensor-1",
    "mlp output_dim(1)=": "bool np.int64 np.bool tensor-int array-int",
    "mlp output_dim(several)=": (
        "array tensor deque listed generator dict list-of-numpy list-of-tensors list-of-arrays range list-of-floats"
    ),
    "mlp output_dim(one)=": (
        "array tensor deque listed generator dict list-of-numpy list-of-tensors list-of-arrays range list-of-floats"
    ),
    "mlp hidden_dims=": "list-of-floats",
    "mlp output_dim:": "negative empty",
    "mlp hidden_dims:": "empty none one negative",
    "mlp input_dim:": "none text half",
    "mlp init 1 scales=": "array fraction",
    "mlp init 1 scales(1)=": "array-int",
    "mlp init 1 scales(five)=": "array tensor deque listed generator dict list-of-arrays",
    "mlp init 1 scales(three)=": "array tensor deque listed generator dict list-of-arrays",
    "mlp init 2 scales=": "array fraction",
    "mlp init 2 scales(1)=": "array-int",
    "mlp init 2 scales(five)=": "array tensor deque listed generator dict list-of-arrays",
    "mlp init 2 scales(three)=": (
        "list tuple array tensor deque listed generator dict list-of-numpy list-of-tensors list-of-arrays"
    ),
    "cnn input_dim=": "generator dict",
    "cnn input_channels=": "float np.float32 tensor-float",
    "cnn input_channels(1)=": "np.bool",
    "cnn output_channels=": "generator dict list-of-floats",
    "cnn none kernel_size=": "float np.float32 tensor tensor-int32 array tensor-float tensor-1",
    "cnn none kernel_size(1)=": "np.bool tensor-int array-int",
    "cnn none kernel_size(several)=": (
        "array tensor deque listed generator dict list-of-tensors list-of-arrays range list-of-floats"
    ),
    "cnn zeros kernel_size=": "float np.uint8 np.float32 tensor tensor-int32 array tensor-float tensor-1",
    "cnn zeros kernel_size(1)=": "np.bool tensor-int array-int",
    "cnn zeros kernel_size(several)=": (
        "array tensor deque listed generator dict list-of-tensors list-of-arrays range list-of-floats"
    ),
    "cnn none stride=": "float np.float32 tensor tensor-int32 array tensor-float",
    "cnn none stride(1)=": "bool np.bool tensor-int array-int",
    "cnn none stride(several)=": (
        "array tensor deque listed generator dict list-of-tensors list-of-arrays range list-of-floats"
    ),
    "cnn zeros stride=": "float np.float32 tensor tensor-int32 array tensor-float",
    "cnn zeros stride(1)=": "bool np.bool tensor-int array-int",
    "cnn zeros stride(several)=": (
        "array tensor deque listed generator dict list-of-tensors list-of-arrays range list-of-floats"
    ),
    "cnn none dilation=": "float np.float32 tensor tensor-int32 array tensor-float",
    "cnn none dilation(1)=": "bool np.bool tensor-int array-int",
    "cnn none dilation(several)=": (
        "array tensor deque listed generator dict list-of-tensors list-of-arrays range list-of-floats"
    ),
    "cnn zeros dilation=": "float np.uint8 np.float32 tensor tensor-int32 array tensor-float",
    "cnn zeros dilation(1)=": "bool np.bool tensor-int array-int",
    "cnn zeros dilation(several)=": (
        "array tensor deque listed generator dict list-of-tensors list-of-arrays range list-of-floats"
    ),
    "cnn norm(none)=": "upper title",
    "cnn norm(batch)=": "upper title",
    "cnn norm(layer)=": "upper title",
    "cnn global_pool(none)=": "upper title",
    "cnn global_pool(max)=": "upper title",
    "cnn global_pool(avg)=": "upper title",
    "cnn norm(several)=": "array deque listed",
    "cnn max_pool(several)=": "array tensor",
    "cnn output_channels:": "zero one",
    "cnn input_channels:": "zero negative none",
    "cnn input_dim:": "one",
    "cnn kernel_size:": "zero pairs",
    "cnn stride:": "zero",
    "cnn dilation:": "zero negative",
    "cnn norm:": "none group",
    "cnn sizes zeros k1 s2 d1 n7": "",
    "cnn sizes zeros k1 s2 d1 n8": "",
    "cnn sizes zeros k1 s2 d2 n7": "",
    "cnn sizes zeros k1 s2 d2 n8": "",
    "cnn sizes zeros k1 s3 d1 n7": "",
    "cnn sizes zeros k1 s3 d1 n8": "",
    "cnn sizes zeros k1 s3 d2 n7": "",
    "cnn sizes zeros k1 s3 d2 n8": "",
    "cnn sizes zeros k2 s3 d1 n7": "",
    "cnn sizes zeros k2 s3 d1 n8": "",
    "cnn sizes zeros k2 s3 d2 n8": "",
    "cnn sizes zeros k3 s3 d1 n8": "",
    "rnn input_size=": "float np.int64 np.int32 np.uint8 np.float32 tensor tensor-int32 array tensor-float tensor-1",
    "rnn input_size(1)=": "np.int64 np.bool tensor-int array-int",
    "rnn input_size:": "zero negative",
    "rnn hidden_dim=": "float np.int64 np.int32 np.uint8 np.float32 tensor tensor-int32 array tensor-float tensor-1",
    "rnn hidden_dim(1)=": "np.int64 np.bool tensor-int array-int",
    "rnn hidden_dim:": "zero negative",
    "rnn num_layers=": "float np.float32 array tensor-float tensor-1",
    "rnn num_layers(1)=": "bool np.bool array-int",
    "rnn num_layers:": "zero negative",
    "rnn type:": "none",
    "normalizer shape(several)=": "array tensor deque listed generator",
    "normalizer shape(one)=": "array deque listed generator dict range list-of-floats",
    "normalizer shape(two)=": "array tensor deque listed generator dict range list-of-floats",
    "normalizer shape=": "float np.float32 tensor-float",
    "normalizer eps=": "fraction",
    "normalizer until=": "array",
    "normalizer until(1)=": "array-int",
    "normalizer until(between)=": "array",
    "normalizer until:": "huge",
    "rewards shape(several)=": "array tensor deque listed generator",
    "rewards shape(one)=": (
        "list tuple array tensor deque listed generator dict list-of-numpy list-of-tensors list-of-arrays "
        "Size range list-of-floats"
    ),
    "rewards shape(two)=": (
        "list tuple array tensor deque listed generator dict list-of-numpy list-of-tensors list-of-arrays "
        "Size range list-of-floats"
    ),
    "rewards shape=": "int float np.int64 np.int32 np.uint8 np.float32 tensor tensor-int32 array tensor-float tensor-1",
    "rewards until=": "array",
    "rewards until(1)=": "array-int",
    "rewards until(between)=": "array",
    "rewards until:": "huge",
    "rewards gamma=": "fraction",
    "gaussian scalar init_std=": "array fraction",
    "gaussian scalar init_std(1)=": "array-int",
    "gaussian scalar std_range=": "list-of-arrays",
    "gaussian scalar init_std:": "array-3",
    "gaussian log init_std=": "array fraction",
    "gaussian log init_std(1)=": "array-int",
    "gaussian log init_std:": "array-3",
    "gaussian output_dim=": "float np.float32 tensor-float",
    "gaussian std_type=": "upper title",
    "heteroscedastic scalar init_std=": "tensor-1 array fraction",
    "heteroscedastic scalar init_std(1)=": "array-int",
    "heteroscedastic scalar std_range=": "list-of-arrays",
    "heteroscedastic scalar init_std:": "tensor-3 array-3",
    "heteroscedastic log init_std=": "tensor-1",
    "heteroscedastic log init_std:": "tensor-3 array-3",
    "heteroscedastic output_dim=": "float np.float32 tensor-float tensor-1",
    "heteroscedastic std_type=": "upper title",
    "gaussian learn_std(False)=": "int float np.bool np.int64 tensor array tensor-int",
    "gaussian learn_std(True)=": "int float np.bool np.int64 tensor array tensor-int",
    "gaussian learn_std:": "none text",
    "beta output_dim=": "float np.float32 tensor-float",
    "beta action_range=": "generator dict list-of-arrays",
    "beta action_range(ints)=": "generator dict list-of-arrays",
    "beta action_range:": "arrays",
}

NETWORKS = {
    "mlp ": (
        "half-input bfloat16-input double-input double-module-half-input double-module-bfloat16-input "
        "double-module-float-input half-module-bfloat16-input half-module-float-input "
        "half-module-double-input int64-input int32-input uint8-input bool-input built-inference-used-grad "
        "sliced"
    ),
    "mlp-shaped ": "built-inference-used-grad",
    "cnn ": (
        "two-batches three-batches half-input bfloat16-input double-input double-module-half-input "
        "double-module-bfloat16-input double-module-float-input half-module-bfloat16-input "
        "half-module-float-input half-module-double-input int64-input int32-input uint8-input bool-input "
        "built-inference-used-grad built-inference-used-autocast"
    ),
    "cnn-batch ": (
        "functional-grad func-grad vmap unbatched two-batches three-batches built-inference-used-grad "
        "built-inference-used-no_grad built-inference-used-autocast"
    ),
    "cnn-map ": "two-batches three-batches built-inference-used-grad",
    "gru ": "two-copies vmap vmap-batches per-sample two-batches three-batches built-inference-used-grad",
    "lstm ": "two-copies vmap vmap-batches jacfwd two-batches three-batches built-inference-used-grad",
    "normalizer ": "bool-input built-inference-used-grad built-inference-used-no_grad built-inference-used-autocast",
    "normalizer-new ": (
        "bool-input built-inference-used-grad built-inference-used-no_grad built-inference-used-autocast"
    ),
    "rewards ": (
        "meta functional-grad func-grad built-inference-used-grad built-inference-used-no_grad "
        "built-inference-used-autocast"
    ),
    "rewards-new ": (
        "meta functional-grad func-grad built-inference-used-grad built-inference-used-no_grad "
        "built-inference-used-autocast"
    ),
    "beta-mean ": "int64-input int32-input uint8-input bool-input",
    "mlp initialized without bias": "",
}

MEMORY = {
    "gru reset tensor of one": "",
    "gru reset column": "",
    "gru reset tensor of one without gradient": "",
    "gru reset column without gradient": "",
    "gru inference then nothing": "",
    "gru inference then reset all": "",
    "gru inference then reset bool": "",
    "gru inference then reset to state": "",
    "gru inference then detach": "",
    "gru other number of environments": "",
    "gru sequence in rollout mode": "",
    "gru batched deque": "",
    "gru batched int64 masks": "",
    "gru batched float masks": "",
    "gru batched no state": "",
    "gru batched double sequence": "",
    "gru-2 reset tensor of one": "",
    "gru-2 reset column": "",
    "gru-2 reset tensor of one without gradient": "",
    "gru-2 reset column without gradient": "",
    "gru-2 inference then nothing": "",
    "gru-2 inference then reset all": "",
    "gru-2 inference then reset bool": "",
    "gru-2 inference then reset to state": "",
    "gru-2 inference then detach": "",
    "gru-2 other number of environments": "",
    "gru-2 sequence in rollout mode": "",
    "gru-2 batched deque": "",
    "gru-2 batched int64 masks": "",
    "gru-2 batched float masks": "",
    "gru-2 batched no state": "",
    "gru-2 batched double sequence": "",
    "lstm reset tensor of one": "",
    "lstm reset column": "",
    "lstm reset tensor of one without gradient": "",
    "lstm reset column without gradient": "",
    "lstm inference then nothing": "",
    "lstm inference then reset all": "",
    "lstm inference then reset bool": "",
    "lstm inference then reset to state": "",
    "lstm inference then detach": "",
    "lstm other number of environments": "",
    "lstm sequence in rollout mode": "",
    "lstm batched deque": "",
    "lstm batched int64 masks": "",
    "lstm batched float masks": "",
    "lstm batched no state": "",
    "lstm batched double sequence": "",
    "lstm-2 reset tensor of one": "",
    "lstm-2 reset column": "",
    "lstm-2 reset tensor of one without gradient": "",
    "lstm-2 reset column without gradient": "",
    "lstm-2 inference then nothing": "",
    "lstm-2 inference then reset all": "",
    "lstm-2 inference then reset bool": "",
    "lstm-2 inference then reset to state": "",
    "lstm-2 inference then detach": "",
    "lstm-2 other number of environments": "",
    "lstm-2 sequence in rollout mode": "",
    "lstm-2 batched deque": "",
    "lstm-2 batched int64 masks": "",
    "lstm-2 batched float masks": "",
    "lstm-2 batched no state": "",
    "lstm-2 batched double sequence": "",
}

NORMALIZERS = {
    "number fed time first": "",
    "number fed two dimensions more": "",
    "number fed single sample": "",
    "number fed int64": "",
    "number fed uint8": "",
    "number fed bool": "",
    "number fed broadcast": "",
    "number scaled time first": "",
    "number scaled two dimensions more": "",
    "number scaled single sample": "",
    "number scaled int64": "",
    "number scaled uint8": "",
    "number scaled bool": "",
    "number scaled broadcast": "",
    "vector fed time first": "",
    "vector fed two dimensions more": "",
    "vector fed int64": "",
    "vector fed uint8": "",
    "vector fed bool": "",
    "matrix fed time first": "",
    "matrix fed two dimensions more": "",
    "matrix fed int64": "",
    "matrix fed uint8": "",
    "matrix fed bool": "",
}

DISTRIBUTIONS = {
    "gaussian torch.float16 module torch.float16 output": "",
    "gaussian torch.float16 module torch.bfloat16 output": "",
    "gaussian torch.float16 module torch.float32 output": "",
    "gaussian torch.float16 module torch.float64 output": "",
    "gaussian-fixed torch.float16 module torch.float16 output": "",
    "gaussian-fixed torch.float16 module torch.bfloat16 output": "",
    "gaussian-fixed torch.float16 module torch.float32 output": "",
    "gaussian-fixed torch.float16 module torch.float64 output": "",
    "heteroscedastic torch.float16 module torch.float16 output": "",
    "heteroscedastic torch.bfloat16 module torch.float16 output": "",
    "heteroscedastic torch.float32 module torch.float16 output": "",
    "heteroscedastic torch.float64 module torch.float16 output": "",
}

TRACING = {
    "cnn ": "quantized",
    "gru ": "scripted frozen symbolic quantized checkpointed",
    "gru scripted training": "",
    "gru scripted to file": "",
    "gru symbolic eval": "",
    "lstm ": "scripted frozen symbolic quantized",
    "lstm scripted training": "",
    "lstm scripted to file": "",
    "lstm symbolic eval": "",
    "rewards ": "scripted frozen symbolic make_fx fake exported",
    "rewards scripted training": "",
    "rewards scripted to file": "",
    "gru compiled whole": "",
    "rewards exported training": "",
    "rewards exported for any batch": "",
    "rewards exported strictly": "",
    "rewards compiled whole": "",
}
