// The mouse over the picture: hover, click, double click; dragging is the camera's.

const CLICK = 5; // px a click may move

/** @param {{pickAt: (x: number, y: number) => object|null, clicked: (hit: object|null) => void, hovered: (hit: object|null, x: number, y: number) => void, focus: () => void}} actions */
export function bindPointer(canvas, { pickAt, clicked, hovered, focus }) {
  let down = null;
  let moved = null;
  canvas.addEventListener("pointerdown", (event) => {
    down = [event.offsetX, event.offsetY];
    canvas.focus({ preventScroll: true });
    hovered(null);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (event.buttons) return;
    const first = moved === null;
    moved = [event.offsetX, event.offsetY];
    if (first) requestAnimationFrame(hover);
  });
  canvas.addEventListener("pointerleave", () => {
    moved = null;
    hovered(null);
  });
  canvas.addEventListener("click", (event) => {
    if (!down || Math.hypot(event.offsetX - down[0], event.offsetY - down[1]) > CLICK) return;
    clicked(pickAt(event.offsetX, event.offsetY));
  });
  canvas.addEventListener("dblclick", focus);

  function hover() {
    if (!moved) return;
    const [x, y] = moved;
    moved = null;
    const hit = pickAt(x, y);
    canvas.style.cursor = hit ? "pointer" : "grab";
    hovered(hit, x, y);
  }
}
