namespace Inference.Kernels;

/// <summary>Element types of stored tensors, numbered as in the GGUF format (ggml.h, enum ggml_type).</summary>
internal enum TensorType
{
    F32 = 0,
    F16 = 1,
    Q4_0 = 2,
    Q8_0 = 8,
    Q4_K = 12,
    Q6_K = 14,
    BF16 = 30,
}
