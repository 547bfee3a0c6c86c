// ONNX Runtime for WebAssembly, from the folder that the command was given in.
import { createRequire } from 'node:module';
import { join } from 'node:path';

export function onnxRuntimeWeb() {
  try {
    return createRequire(join(process.cwd(), 'package.json'))('onnxruntime-web');
  } catch (error) {
    console.error(`there is no onnxruntime-web in ${process.cwd()}: npm install --ignore-scripts onnxruntime-web (${error.code})`);
    process.exit(2);
  }
}
