/** The Battery Status API, which Chromium has and TypeScript does not know. */
interface BatteryManager extends EventTarget {
  charging: boolean;
}

/** Tells whether the device charges, now and at each change; never where the browser has no such API. */
export function watchBattery(told: (charging: boolean) => void): void {
  const get: unknown = Reflect.get(navigator, 'getBattery');
  if (typeof get !== 'function') return;
  Promise.resolve(get.call(navigator) as Promise<BatteryManager>).then(
    (battery) => {
      told(battery.charging);
      battery.addEventListener('chargingchange', () => told(battery.charging));
    },
    // Forbidden to this page: as if there were none.
    () => {},
  );
}
