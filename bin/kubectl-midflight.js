#!/usr/bin/env node
// kubectl finds it on the PATH by this name, and the cli tells by it how it was called. It is the same otherwise.
import "./midflight.js";
