// Handles go to other threads.
fn send<T: Send>() {}
fn main() {
    send::<serde_npz::NpyReader<std::fs::File>>();
    send::<serde_npz::NpzReader<std::fs::File>>();
    send::<serde_npz::NpyWriter<std::fs::File>>();
    send::<serde_npz::NpzWriter<std::fs::File>>();
    send::<serde_npz::NpzMmap>();
}
