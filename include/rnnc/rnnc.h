/* The C interface of rnnc, for C99 and later and for C++.
 *
 * Libraries  functions under "Runtime" are in rnnc_runtime and need no compiler; those under "Import" are in rnnc_import,
 *            those under "Compiler" in rnnc_ir and rnnc_compiler.
 * Errors     a function that can fail returns a status and, if `error` is not NULL, writes the text there. Outputs are
 *            untouched then. NULL for a value that is needed is RNNC_USAGE; to destroy NULL does nothing.
 * Structs    begin with their size, set by the caller (RNNC_..._INIT does). A field that is 0 has its default. A larger
 *            struct of a newer header is accepted as long as the fields that this library does not know are 0.
 * Threads    programs, models and weights do not change: any thread may use them, at the same time. A state is for one
 *            thread at a time. Functions keep data between calls only in these objects.
 * Real time  rnnc_run and rnnc_step allocate nothing, take no lock, make no system call and touch no new memory, for
 *            programs of one thread. All else may. */
#ifndef RNNC_RNNC_H
#define RNNC_RNNC_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define RNNC_C_API __attribute__((visibility("default")))
#else
#define RNNC_C_API
#endif

#ifdef __cplusplus
#define RNNC_NOEXCEPT noexcept
extern "C" {
#else
#define RNNC_NOEXCEPT
#endif

typedef struct rnnc_model rnnc_model;     /* the cells and networks of a text or file */
typedef struct rnnc_weights rnnc_weights; /* tensors by name */
typedef struct rnnc_program rnnc_program; /* compiled code with weights */
typedef struct rnnc_state rnnc_state;     /* the states of a batch of sequences, and mostly a workspace */
typedef struct rnnc_workspace rnnc_workspace; /* the memory of a call, for any number of states */

typedef struct rnnc_training rnnc_training; /* both passes of a model that is trained, and their memory */

typedef enum rnnc_status {
  RNNC_OK = 0,
  RNNC_USAGE = 1,          /* an argument that makes no sense; a struct of a wrong size */
  RNNC_SYNTAX = 2,         /* text that is not a model */
  RNNC_NAME = 3,           /* a name that is unknown, or declared twice */
  RNNC_SHAPE_MISMATCH = 4, /* shapes or numbers of elements that do not fit */
  RNNC_INVALID_MODEL = 5,  /* a model with the right syntax but no meaning */
  RNNC_INVALID_DATA = 6,   /* a file or tensor that is malformed, missing or left over */
  RNNC_LIMIT = 7,          /* more than a limit or the memory allows */
  RNNC_UNSUPPORTED = 8,    /* right, but not on this machine or in this version */
  RNNC_FILE = 9,           /* the file system reports an error */
  RNNC_INTERNAL = 10,      /* a bug of rnnc */
  /* Only rnnc_run, rnnc_step and rnnc_step_in return these: */
  RNNC_BATCH_MISMATCH = 20,
  RNNC_WRONG_STATE = 21, /* the state of another program */
  RNNC_NEGATIVE_STEPS = 22,
  RNNC_MISSING_POINTER = 23,
  RNNC_BAD_LENGTH = 24,
  RNNC_TOO_MANY_STEPS = 25,
  RNNC_MISSING_INPUT = 26,
  RNNC_UNKNOWN_NAME = 27,
  RNNC_NO_STREAMING = 28,
  RNNC_WRONG_WORKSPACE = 29, /* the workspace of another program, or for fewer sequences */
  RNNC_NO_WORKSPACE = 30,    /* neither the state nor the call has a workspace */
  RNNC_NO_FORWARD = 31       /* a backward pass without a forward pass before it */
} rnnc_status;

typedef struct rnnc_error {
  size_t struct_size;
  rnnc_status status;
  char message[1024]; /* `file:line:column: what is wrong`, then lines that show the text; cut where it is longer; always ends in 0 */
} rnnc_error;
#define RNNC_ERROR_INIT { sizeof(rnnc_error), RNNC_OK, {0} }

/* Returns the meaning of a status in general, for any value. The text is static. */
RNNC_C_API const char* rnnc_status_text(rnnc_status status) RNNC_NOEXCEPT;

/* Returns the version of the runtime library, as "0.1.0". */
RNNC_C_API const char* rnnc_version(void) RNNC_NOEXCEPT;

/* ---- Runtime: weights given by the caller --------------------------------------------------------------------- */

RNNC_C_API rnnc_status rnnc_weights_create(rnnc_weights** weights, rnnc_error* error) RNNC_NOEXCEPT;

/* Adds a copy of an f32 tensor, row-major; `rank` is 0 to 8. RNNC_NAME if there is one of that name. */
RNNC_C_API rnnc_status rnnc_weights_add(rnnc_weights* weights, const char* name, const float* values,
                                        const int64_t* shape, size_t rank, rnnc_error* error) RNNC_NOEXCEPT;
RNNC_C_API size_t rnnc_weights_count(const rnnc_weights* weights) RNNC_NOEXCEPT;
RNNC_C_API void rnnc_weights_destroy(rnnc_weights* weights) RNNC_NOEXCEPT;

/* ---- Runtime: programs ---------------------------------------------------------------------------------------- */

typedef struct rnnc_load_options {
  size_t struct_size;
  int32_t threads; /* the most that a call may use; 0 means 1 */
  const char* cpu; /* the level to take, by the name of its CPU; NULL is the highest that this machine can run */
} rnnc_load_options;
#define RNNC_LOAD_OPTIONS_INIT { sizeof(rnnc_load_options), 0, 0 }

/* Loads the program of an artifact that `rnnc compile -o m.rnnc` made. It holds machine code: load only a file that you
   would also run as a program. `options` may be NULL. `name` is the content's name in messages, or NULL. */
RNNC_C_API rnnc_status rnnc_program_load_file(const char* path, const rnnc_load_options* options,
                                              rnnc_program** program, rnnc_error* error) RNNC_NOEXCEPT;
RNNC_C_API rnnc_status rnnc_program_load(const void* bytes, size_t size, const char* name,
                                         const rnnc_load_options* options, rnnc_program** program,
                                         rnnc_error* error) RNNC_NOEXCEPT;

/* States may outlive their program. */
RNNC_C_API void rnnc_program_destroy(rnnc_program* program) RNNC_NOEXCEPT;

/* What runs a program, or is asked to. */
typedef enum rnnc_backend {
  RNNC_BACKEND_AUTO = 0,     /* generated code if the system allows it */
  RNNC_BACKEND_JIT = 1,      /* generated code */
  RNNC_BACKEND_PORTABLE = 2, /* operations that are executed one after another */
  RNNC_BACKEND_TIERED = 3    /* portable at once, and generated code as soon as it is there; see rnnc_program_wait_for_code */
} rnnc_backend;

typedef struct rnnc_program_info {
  size_t struct_size;
  const char* name;        /* of the cell or network; as long as the program lives, like all strings here */
  const char* cpu;         /* the CPU of the code that runs now */
  const char* output_time; /* the time of y: "T", another time of a network, or "" if y is [batch, output_size] */
  const char* no_streaming; /* why rnnc_step is refused; "" if it is not */
  int64_t input_size;      /* floats of a row of x */
  int64_t output_size;     /* floats of a row of y */
  int64_t weights_bytes;
  size_t input_count;       /* side by side in a row of x */
  size_t state_count;
  size_t named_input_count; /* of a network: inputs that are not in x */
  size_t output_count;      /* of a network: y and the outputs after it */
  int32_t backend;          /* RNNC_BACKEND_JIT or RNNC_BACKEND_PORTABLE, whichever runs the program now */
  const char* fallback;     /* why a program of RNNC_BACKEND_AUTO or _TIERED stays with the portable executor, or "" */
} rnnc_program_info;

typedef struct rnnc_port {
  size_t struct_size;
  const char* name;
  const char* time; /* of a named input or an output: the time it runs over, or ""; else "" */
  int64_t size;     /* floats of one sequence at one step */
} rnnc_port;

/* Each fills the struct, whose struct_size the caller has set. RNNC_USAGE if `index` is not below the count. */
RNNC_C_API rnnc_status rnnc_program_get_info(const rnnc_program* program, rnnc_program_info* info) RNNC_NOEXCEPT;
RNNC_C_API rnnc_status rnnc_program_get_input(const rnnc_program* program, size_t index, rnnc_port* port) RNNC_NOEXCEPT;
RNNC_C_API rnnc_status rnnc_program_get_state(const rnnc_program* program, size_t index, rnnc_port* port) RNNC_NOEXCEPT;
RNNC_C_API rnnc_status rnnc_program_get_named_input(const rnnc_program* program, size_t index,
                                                    rnnc_port* port) RNNC_NOEXCEPT;
/* The first output is y; those after it are written where rnnc_run_arguments.outputs names them. */
RNNC_C_API rnnc_status rnnc_program_get_output(const rnnc_program* program, size_t index,
                                               rnnc_port* port) RNNC_NOEXCEPT;

/* Waits until a program of RNNC_BACKEND_TIERED has its generated code; other programs have nothing to wait for. Every call
   runs that code from then on, with the same bits. A state that was made before moves to it in its next call, which allocates
   nothing. rnnc_program_destroy waits as well. RNNC_LIMIT if the memory did not suffice for the code, RNNC_UNSUPPORTED in a
   process that was forked before the code was there: the program stays portable then. */
RNNC_C_API rnnc_status rnnc_program_wait_for_code(const rnnc_program* program, rnnc_error* error) RNNC_NOEXCEPT;

/* ---- Runtime: states ------------------------------------------------------------------------------------------ */

/* Makes a state of `batch` >= 0 new sequences. It has memory for calls of `max_steps` steps; a program whose scans all run
   forwards runs longer calls in pieces of as many, and a cell alone needs no such memory. All memory that calls need is
   allocated and touched here. */
RNNC_C_API rnnc_status rnnc_state_create(const rnnc_program* program, int64_t batch, int64_t max_steps,
                                         rnnc_state** state, rnnc_error* error) RNNC_NOEXCEPT;
RNNC_C_API void rnnc_state_destroy(rnnc_state* state) RNNC_NOEXCEPT;

/* Makes a state without a workspace: it takes the memory of its states and less than 512 bytes. Calls name a workspace. */
RNNC_C_API rnnc_status rnnc_state_create_without_workspace(const rnnc_program* program, int64_t batch,
                                                           rnnc_state** state, rnnc_error* error) RNNC_NOEXCEPT;

/* Makes the memory of calls of at most `batch` sequences, for one thread at a time. Calls of more than `max_steps` steps run
   in pieces of as many, or are refused, as those of rnnc_state_create. */
RNNC_C_API rnnc_status rnnc_workspace_create(const rnnc_program* program, int64_t batch, int64_t max_steps,
                                             rnnc_workspace** workspace, rnnc_error* error) RNNC_NOEXCEPT;
RNNC_C_API void rnnc_workspace_destroy(rnnc_workspace* workspace) RNNC_NOEXCEPT;

/* Starts new sequences: sets all states to zero, or to the values that parameters of the network give them. Allocates
   nothing. */
RNNC_C_API void rnnc_state_reset(rnnc_state* state) RNNC_NOEXCEPT;

/* Read or set one state by name, [batch, size] row-major; `count` is the number of floats at `values` and must be
   batch * size. */
RNNC_C_API rnnc_status rnnc_state_get(const rnnc_state* state, const char* name, float* values, size_t count,
                                      rnnc_error* error) RNNC_NOEXCEPT;
RNNC_C_API rnnc_status rnnc_state_set(rnnc_state* state, const char* name, const float* values, size_t count,
                                      rnnc_error* error) RNNC_NOEXCEPT;

/* Saves all states, in a versioned form for programs of the same states and machines of the same byte order. `*size` is the
   number of bytes at `bytes` and becomes the number that is needed. If more are needed, nothing is written and the status
   is RNNC_LIMIT; if `bytes` is NULL, nothing is written and the status is RNNC_OK. */
RNNC_C_API rnnc_status rnnc_state_save(const rnnc_state* state, void* bytes, size_t* size,
                                       rnnc_error* error) RNNC_NOEXCEPT;

/* Sets a state of the same batch from the bytes of rnnc_state_save. RNNC_INVALID_DATA, and nothing is changed, if they do
   not fit. */
RNNC_C_API rnnc_status rnnc_state_restore(rnnc_state* state, const void* bytes, size_t size,
                                          rnnc_error* error) RNNC_NOEXCEPT;

/* ---- Runtime: calls ------------------------------------------------------------------------------------------- */

/* An input of a network that is no part of x. */
typedef struct rnnc_named_input {
  const char* name;
  const float* data; /* [batch, size] of a vector; [steps of its time, batch, size] of a sequence */
} rnnc_named_input;

/* An output of a network after the first. */
typedef struct rnnc_named_output {
  const char* name;
  float* data; /* [batch, size] of a vector; [steps of its time, batch, size] of a sequence */
} rnnc_named_output;

/* A time of a network other than T. */
typedef struct rnnc_named_time {
  const char* name;
  int64_t steps;
  const int32_t* lengths; /* [batch], or NULL */
} rnnc_named_time;

typedef struct rnnc_run_arguments {
  size_t struct_size;
  const float* x; /* [steps, batch, input_size] */
  float* y;       /* [steps, batch, output_size], or as output_time says */
  int64_t steps;
  int64_t batch;
  const int32_t* lengths; /* [batch], each in [0, steps]; or NULL if all have `steps` */
  const rnnc_named_input* inputs;
  size_t input_count; /* at most 64 */
  const rnnc_named_time* times;
  size_t time_count;         /* at most 64 */
  rnnc_workspace* workspace; /* NULL for the state's own */
  const rnnc_named_output* outputs; /* those that are wanted; the others are not written */
  size_t output_count;              /* at most 64 */
} rnnc_run_arguments;

/* Advances every sequence of the batch by `steps` time steps. Beyond a sequence's length y and other outputs are 0, and its
   final state is that of its own last step. A sequence in pieces gives the same bits as in one call. If the status is not
   RNNC_OK, state, y and other outputs are untouched. */
RNNC_C_API rnnc_status rnnc_run(const rnnc_program* program, rnnc_state* state,
                                const rnnc_run_arguments* arguments) RNNC_NOEXCEPT;

/* Runs one time step: x is [batch, input_size], y [batch, output_size]. */
RNNC_C_API rnnc_status rnnc_step(const rnnc_program* program, rnnc_state* state, const float* x,
                                 float* y) RNNC_NOEXCEPT;

/* The same in a workspace, which may serve other states in other calls. */
RNNC_C_API rnnc_status rnnc_step_in(const rnnc_program* program, rnnc_state* state, rnnc_workspace* workspace,
                                    const float* x, float* y) RNNC_NOEXCEPT;

/* ---- Import --------------------------------------------------------------------------------------------------- */

/* Reads the tensors of a safetensors file, from the disk of a .npz file too. */
RNNC_C_API rnnc_status rnnc_weights_load_file(const char* path, rnnc_weights** weights, rnnc_error* error) RNNC_NOEXCEPT;
RNNC_C_API rnnc_status rnnc_weights_load(const void* bytes, size_t size, const char* name, rnnc_weights** weights,
                                         rnnc_error* error) RNNC_NOEXCEPT;

/* Imports a model of ONNX, RTNeural, GuitarML, NAM or PyTorch with its weights. */
RNNC_C_API rnnc_status rnnc_import_file(const char* path, rnnc_model** model, rnnc_weights** weights,
                                        rnnc_error* error) RNNC_NOEXCEPT;

/* ---- Compiler ------------------------------------------------------------------------------------------------- */

/* These make a model from text of rnnc's language, which ends in 0, from a file, or from a standard cell such as "lstm".
   `name` is the text's name in messages, or NULL. */
RNNC_C_API rnnc_status rnnc_model_parse(const char* text, const char* name, rnnc_model** model,
                                        rnnc_error* error) RNNC_NOEXCEPT;
RNNC_C_API rnnc_status rnnc_model_load_file(const char* path, rnnc_model** model, rnnc_error* error) RNNC_NOEXCEPT;
RNNC_C_API rnnc_status rnnc_model_standard(const char* cell, rnnc_model** model, rnnc_error* error) RNNC_NOEXCEPT;
RNNC_C_API void rnnc_model_destroy(rnnc_model* model) RNNC_NOEXCEPT;

typedef struct rnnc_dim {
  const char* name;
  int64_t value;
} rnnc_dim;

/* The format in which a program keeps the weights of its products. Half precisions give the bits of the f32 program whose
   matrices were rounded to nearest even before. Formats of integers multiply integers, whose sums are exact: they give the
   same bits on every CPU. */
typedef enum rnnc_weight_format {
  RNNC_WEIGHTS_F32 = 0,
  RNNC_WEIGHTS_F16 = 1, /* up to 65,504: a larger weight is RNNC_INVALID_DATA */
  RNNC_WEIGHTS_BF16 = 2,
  RNNC_WEIGHTS_W16 = 3,   /* weights and vectors in 16 bits */
  RNNC_WEIGHTS_W8A16 = 4, /* weights in 8 bits, vectors in 16 */
  RNNC_WEIGHTS_W8 = 5     /* weights and vectors in 8 bits */
} rnnc_weight_format;

typedef struct rnnc_compile_options {
  size_t struct_size;
  const char* cell;     /* the network or cell if there are several; or NULL */
  const char* cpu;      /* LLVM's name of a CPU; NULL is this machine's */
  const rnnc_dim* dims; /* the dims that do not follow from the weights */
  size_t dim_count;
  int32_t threads; /* the most that a call may use; 0 means 1 */
  int32_t no_cache; /* not 0: leave the user's cache folder alone */
  int32_t backend;  /* an rnnc_backend */
  int32_t compile_threads; /* the most threads that generate code at the same time; 0: as many as there are CPUs */
  int32_t weights;  /* an rnnc_weight_format */
  const char* ranges; /* the text of a file that `rnnc calibrate` wrote of this model and its weights; or NULL */
  int32_t sparse;   /* not 0: products in the step leave out blocks of integer weights that are zero */
} rnnc_compile_options;
#define RNNC_COMPILE_OPTIONS_INIT { sizeof(rnnc_compile_options), NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, NULL, 0 }

/* Compiles one network or cell and packs its weights; model and weights may be destroyed afterwards. `options` may be
   NULL. */
RNNC_C_API rnnc_status rnnc_compile(const rnnc_model* model, const rnnc_weights* weights,
                                    const rnnc_compile_options* options, rnnc_program** program,
                                    rnnc_error* error) RNNC_NOEXCEPT;

/* ---- Compiler: training --------------------------------------------------------------------------------------- */

typedef struct rnnc_training_options {
  size_t struct_size;
  int64_t batch;        /* the sequences of every call */
  int64_t max_steps;    /* the most steps of a call */
  int64_t memory_bytes; /* the most bytes for what a forward pass keeps; 0 is no bound */
} rnnc_training_options;
#define RNNC_TRAINING_OPTIONS_INIT { sizeof(rnnc_training_options), 1, 1, 0 }

/* Compiles the forward and the backward pass of a model, in f32, and allocates the memory of calls. `compile` may be NULL. A
   training is for one thread at a time. */
RNNC_C_API rnnc_status rnnc_training_create(const rnnc_model* model, const rnnc_weights* weights,
                                            const rnnc_compile_options* compile, const rnnc_training_options* options,
                                            rnnc_training** training, rnnc_error* error) RNNC_NOEXCEPT;
RNNC_C_API void rnnc_training_destroy(rnnc_training* training) RNNC_NOEXCEPT;

/* Computes outputs, and keeps what the backward pass needs. x, lengths and inputs must stay as they are until that has
   returned. States go on from the call before, unless rnnc_training_reset or rnnc_training_set_state was called. There are
   no times and no workspace. */
RNNC_C_API rnnc_status rnnc_training_forward(rnnc_training* training, const rnnc_run_arguments* arguments) RNNC_NOEXCEPT;

typedef struct rnnc_backward_arguments {
  size_t struct_size;
  const float* dy;                   /* the gradient of y, in the shape of y; NULL is 0 */
  float* dx;                         /* [steps, batch, input_size]; NULL if it is not wanted */
  const rnnc_named_input* d_outputs; /* the gradients of outputs after y; one that is missing is 0 */
  size_t d_output_count;             /* at most 64 */
  const rnnc_named_output* d_inputs; /* those of named inputs that are wanted */
  size_t d_input_count;              /* at most 64 */
} rnnc_backward_arguments;

/* Adds the gradients of the last forward pass to those of parameters. A forward pass has one backward pass. */
RNNC_C_API rnnc_status rnnc_training_backward(rnnc_training* training,
                                              const rnnc_backward_arguments* arguments) RNNC_NOEXCEPT;

/* Starts new sequences, as rnnc_state_reset. */
RNNC_C_API void rnnc_training_reset(rnnc_training* training) RNNC_NOEXCEPT;

/* Set or read a state, or its gradient, by name, [batch, size] row-major. The gradient that is set is that behind the last
   step, for the next backward pass; the one that is read is that before the first step, by the last backward pass. */
RNNC_C_API rnnc_status rnnc_training_set_state(rnnc_training* training, const char* name, const float* values,
                                               size_t count, rnnc_error* error) RNNC_NOEXCEPT;
RNNC_C_API rnnc_status rnnc_training_get_state(const rnnc_training* training, const char* name, float* values,
                                               size_t count, rnnc_error* error) RNNC_NOEXCEPT;
RNNC_C_API rnnc_status rnnc_training_set_state_gradient(rnnc_training* training, const char* name, const float* values,
                                                        size_t count, rnnc_error* error) RNNC_NOEXCEPT;
RNNC_C_API rnnc_status rnnc_training_get_state_gradient(const rnnc_training* training, const char* name, float* values,
                                                        size_t count, rnnc_error* error) RNNC_NOEXCEPT;

/* Return the elements of a parameter's gradient, or of its value, row-major, and their number in `*count`; NULL for an unknown
   name. The memory is the training's. rnnc_training_update makes values count that the caller has changed. */
RNNC_C_API const float* rnnc_training_gradient(const rnnc_training* training, const char* parameter,
                                               size_t* count) RNNC_NOEXCEPT;
RNNC_C_API float* rnnc_training_weight(rnnc_training* training, const char* parameter, size_t* count) RNNC_NOEXCEPT;
RNNC_C_API void rnnc_training_clear_gradients(rnnc_training* training) RNNC_NOEXCEPT;
RNNC_C_API rnnc_status rnnc_training_update(rnnc_training* training, rnnc_error* error) RNNC_NOEXCEPT;

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif
